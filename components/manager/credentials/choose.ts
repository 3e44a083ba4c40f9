import { ManagerConfiguration } from "../../core/managerConfiguration";
import { podIdentity } from "./podIdentity";
import { CredentialSource } from "./source";
import { webIdentity } from "./webIdentity";

/** Variables of AWS's clients that give a process an identity; the manifests set those of the way that was chosen (AWS, "Standardized credential providers"). */
export const identityVariables = {
  agentUrl: "AWS_CONTAINER_CREDENTIALS_FULL_URI",
  agentTokenFile: "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
  webTokenFile: "AWS_WEB_IDENTITY_TOKEN_FILE",
  roleArn: "AWS_ROLE_ARN",
} as const;

/**
 * Where the role's credentials come from.
 * @param session whose session it is, for CloudTrail: the pod
 * @returns undefined where the key is in a Secret
 * @throws when a variable is missing that the way needs
 */
export function credentialSource(
  { credentials = "key", objectStore }: Pick<ManagerConfiguration, "credentials" | "objectStore">,
  session: string,
  environment: NodeJS.ProcessEnv = process.env,
): CredentialSource | undefined {
  const variable = (name: string): string => {
    const value = environment[name];
    if (value) return value;
    throw new Error(`${name} is not set, which credentials "${credentials}" needs: the StatefulSet sets it`);
  };
  switch (credentials) {
    case "key":
      return undefined;
    case "podIdentity":
      return podIdentity(variable(identityVariables.agentUrl), variable(identityVariables.agentTokenFile));
    case "irsa":
      return webIdentity({
        roleArn: variable(identityVariables.roleArn),
        tokenFile: variable(identityVariables.webTokenFile),
        region: objectStore.region,
        session,
      });
  }
}

/** The environment for a program that is to have no identity at AWS: nothing that any of AWS's clients would take credentials from. */
export function withoutIdentity(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !name.startsWith("AWS_")));
}
