import { looksRandom } from "./randomness";

/** Variables, templates, files, and names of other places where the value is; and values that mean "none". */
export function isReference(value: string): boolean {
  return (
    value === "" ||
    /^(?:\$[({A-Za-z_]|\{\{|%\(|%[A-Z_]+%$|<%|@\w+@$|__\w+__$|\*+$|\*\w+$|\/|\.\.?\/|file:|arn:|vault:|env:|secretRef|ENC\[|ref\+|!\w|[|>][-+]?$)/.test(
      value,
    ) ||
    // What a program calls: `getpass()`.
    /^[A-Za-z_][\w.]*\(\S*\)$/.test(value) ||
    /^(?:none|null|nil|undefined|~|\{|\[)$/i.test(value) ||
    /^(?:process\.env|os\.environ|os\.getenv|System\.getenv|env\.|valueFrom|config\.|secrets\.|var\.|local\.)/.test(
      value,
    )
  );
}

/** MariaDB's hash of a password (`mysql_native_password`). */
export function isNativeHash(value: string): boolean {
  return /^\*[0-9A-F]{40}$/i.test(value);
}

/** What people write for somebody else to fill in. A weak password, `changeme` among them, is no placeholder: it is in force. */
export function isPlaceholder(value: string): boolean {
  return (
    /^<[^>]*>$|^\[[^\]]*\]$|^\{[^}]*\}$|\$\{|\{\{|<(?:your|my|the|insert|enter)\b/i.test(value) ||
    /^(?:your|insert|enter|replace|put|fill|add|some|todo|tbd|fixme|redacted|placeholder|dummy|example)(?:$|[-_ .:])/i.test(
      value,
    ) ||
    /(?:^|[-_ ])(?:here|placeholder|redacted)$/i.test(value) ||
    /^(?:x{3,}|\.{3,}|-{3,}|_{3,}|#{3,}|\?{2,})$/i.test(value)
  );
}

/** Values of a switch or of a choice, which names like `resetPassword` or `password_encryption` have. */
export function isSwitch(value: string): boolean {
  return /^(?:true|false|yes|no|on|off|enabled?|disabled?|required?|optional|hidden|visible|allowed|denied|never|always|default|auto|internal|external|basic|bearer|digest|oauth2?|oidc|ldap|saml|plain|native|scram(?:-sha-\d+)?|sha-?\d*|md5|bcrypt|argon2\w*|string|text|password|secret)$/i.test(
    value,
  );
}

/** "Password" in the languages of user interfaces. */
const wordsForPassword =
  /^(?:the |your |ihr |dein |votre |tu |su |il tuo )?(?:pass\s?words?|passwort|kennwort|passwörter|contraseña|clave|mot de passe|senha|palavra-passe|wachtwoord|lösenord|adgangskode|passord|salasana|hasło|heslo|jelszó|parola|lozinka|geslo|пароль|парола|密码|密碼|パスワード|비밀번호|암호|şifre|κωδικός|סיסמה|كلمة المرور|token|secret|api key|access key)[:*.?!]?$/iu;

/** A text for people: a word for "password", or several words. */
export function isLabel(value: string): boolean {
  return wordsForPassword.test(value) || (/\s/.test(value) && /^[\p{L}\p{M}\s,.:;!?'’()*/-]+$/u.test(value));
}

/** A name that Kubernetes would accept for an object, and that no generator of passwords makes. */
export function isObjectName(value: string): boolean {
  return /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/.test(value) && !(value.length >= 20 && looksRandom(value));
}
