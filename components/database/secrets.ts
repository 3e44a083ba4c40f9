import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { secretHash } from "../core/configurationHash";
import { objectStoreSecretManifest, tlsSecretManifest, usersSecretManifest } from "../core/manifests/secrets";
import { transformed } from "../transform";
import { DatabaseArgs } from "./arguments";
import { makeServerCertificate } from "./certificates";
import { DatabaseContext } from "./context";
import { isByRole, objectStoreData } from "./objectStoreInputs";
import { userPasswords } from "./passwords";

/** Everything secret, and what the rest needs to know of it. */
export interface DatabaseSecrets {
  /** By user. */
  passwords: pulumi.Output<Record<string, string>>;
  /** PEM. Unknown where the certificate is in an existing Secret and nothing was said. */
  caCertificate: pulumi.Output<string | undefined>;
  /** Changes with every secret value, and tells nothing of it. */
  fingerprint: pulumi.Output<string>;
  resources: pulumi.Resource[];
}

/** Makes what was not given, and puts it all in Secrets. @param role with which the pods open the bucket, where it is not a key */
export function makeSecrets(
  context: DatabaseContext,
  args: DatabaseArgs,
  role: pulumi.Output<string> | undefined,
): DatabaseSecrets {
  const { name, settings, transform, inside } = context;
  const { names, certificate } = settings;
  const byRole = isByRole(args.objectStore);
  const storeData = byRole ? undefined : objectStoreData(name, args.objectStore);
  const passwords = userPasswords(context);
  const server = certificate.existingSecretName === undefined ? makeServerCertificate(context) : undefined;
  const resources = [
    ...(storeData
      ? [
          new k8s.core.v1.Secret(
            ...transformed(
              transform.objectStoreSecret,
              `${name}-object-store`,
              objectStoreSecretManifest(names, storeData),
              inside,
            ),
          ),
        ]
      : []),
    new k8s.core.v1.Secret(
      ...transformed(transform.usersSecret, `${name}-users`, usersSecretManifest(names, passwords), inside),
    ),
    ...(server
      ? [
          new k8s.core.v1.Secret(
            ...transformed(transform.tlsSecret, `${name}-tls`, tlsSecretManifest(names, server), inside),
          ),
        ]
      : []),
  ];
  const givenAuthority = args.tls?.caCertificate;
  return {
    passwords: pulumi.secret(pulumi.output(passwords)),
    caCertificate: server?.ca ?? pulumi.output(givenAuthority),
    // With a role pods are made anew for another one, and after the role may be used.
    fingerprint: fingerprintOf(context, {
      store: storeData ?? (role === undefined ? {} : { role }),
      password: passwords,
      tls: { ...server },
    }),
    resources,
  };
}

/** The key never leaves the state, so that nobody who reads the pods' annotations can try passwords against the fingerprint. */
function fingerprintOf(
  { name, transform, outside }: DatabaseContext,
  secrets: Record<string, pulumi.Input<Record<string, pulumi.Input<string>>>>,
): pulumi.Output<string> {
  const args: random.RandomBytesArgs = { length: 32 };
  const made = new random.RandomBytes(
    ...transformed(transform.fingerprintKey, `${name}-fingerprint-key`, args, outside),
  );
  const key = pulumi.secret(made.base64);
  const fingerprint = pulumi.all([key, pulumi.output(secrets)]).apply(([known, groups]) => {
    const entries = Object.entries(groups).flatMap(([group, values]) =>
      Object.entries(values).map(([part, value]) => [`${group} ${part}`, value]),
    );
    return secretHash(known, Object.fromEntries(entries) as Record<string, string>);
  });
  return pulumi.unsecret(fingerprint);
}
