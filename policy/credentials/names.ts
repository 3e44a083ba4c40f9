import { words } from "./credential";
import { isLabel, isNativeHash, isObjectName, isPlaceholder, isReference, isSwitch } from "./values";

/** Ends of names whose value is a credential, whatever it looks like. */
const credentialName =
  /(?:^|_)(?:\w*(?:password|passwd|passphrase)|pass|(?:db|user|root|admin|my|mysql|pg|smtp|mail|ftp)pass|(?:\w+_|my|root|db)?pwd|(?:root|db|admin)pw|secret_?key|secret_access_key|access_key|private_key|encryption_key|signing_key|account_key|shared_access_key|master_key|api_?key|auth_?token|access_?token|refresh_?token|bearer_?token|deploy_?token|client_?secret|app_secret|api_secret|auth_secret|jwt_secret|hmac_secret|session_secret|cookie_secret|signing_secret|webhook_secret|shared_secret|secret_key_base)$/;
/** Ends of names of a credential, or of something that holds, names or describes one. */
const credentialOrItsName = /(?:^|_)(?:secret|token|credentials?|auth|sst_auth|apikey)$/;
/** The engine's own options. It takes their values as they are written: a placeholder has to be replaced where it stands, and the place is then that of the key. */
const optionOfEngine = /(?:^|_)tidesdb_s3_(?:access|secret)_key$/;
/** Words of a name that make it a name of something about a credential: a switch, a text of a dialogue, a number. */
const aboutCredentials =
  /(?:^|_)(?:reset|forgot|forgotten|change|changed|show|hide|toggle|require|requires|required|enable|enabled|disable|disabled|allow|allowed|has|is|no|min|max|random|generate|generated|empty|without|existing|confirm|invalid|wrong|expired|missing|label|placeholder|hint|use|uses|public)_/;

const uuid = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i;

/** Why a value under this name is a credential; undefined when it is not one, or only refers to one. */
export function credentialByName(name: string, value: string): string | undefined {
  const normal = words(name).replace(/_hash$/, "");
  const isStrong = credentialName.test(normal) && (isNativeHash(value) || !/hash$/i.test(name));
  // The second half of a login to Vault; elsewhere the name of a secret.
  if (/(?:^|_)secret_id$/.test(normal) && uuid.test(value)) return `a value under the name ${name.slice(-60)}`;
  if (!isStrong && !credentialOrItsName.test(normal)) return undefined;
  if (aboutCredentials.test(`_${normal}`)) return undefined;
  // What MariaDB keeps of a password: anyone who has it logs in with it, by a changed client.
  if (isNativeHash(value)) return `a password hash under the name ${name.slice(-60)}`;
  if (isReference(value) || isSwitch(value) || isLabel(value)) return undefined;
  if (isPlaceholder(value) && !optionOfEngine.test(normal)) return undefined;
  if (!isStrong && !mayBeCredential(value)) return undefined;
  if (isStrong && /secret$|key$/.test(normal) && (isNameOfSecret(value) || isFileOfKey(value))) return undefined;
  return `a value under the name ${name.slice(-60)}`;
}

/** Under a name that may as well be that of a Secret: not a name of an object, nor a word. */
function mayBeCredential(value: string): boolean {
  if (isObjectName(value)) return value.length >= 16 && !value.includes("-") && !value.includes(".");
  // The header of a JSON Web Token says how it is signed, and is no secret.
  if (/^eyJ[\w-]+$/.test(value)) return false;
  return value.length >= 6 && !/^[A-Za-z]{1,12}$/.test(value) && !/^\w+\(/.test(value);
}

/** `tls.key` is a file with a key, or its name in a Secret. */
function isFileOfKey(value: string): boolean {
  return /^[\w./-]{1,100}\.(?:key|pem|crt|p12|jks)$/.test(value);
}

/** `orders-jwt-secret` is where the secret is, not the secret. */
function isNameOfSecret(value: string): boolean {
  return (
    isObjectName(value) &&
    value.includes("-") &&
    /(?:^|-)(?:secrets?|tokens?|creds?|credentials?|passwords?|auth|keys?|tls|certs?)$/.test(value)
  );
}
