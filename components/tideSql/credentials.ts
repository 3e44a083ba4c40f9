import { InputProblem } from "../core/inputProblem";
import { isOfAws, StoreCredentials } from "../objectStore/arguments";
import { TideSqlArgs } from "./arguments";

/** What opens the bucket: what was asked for, or a role wherever the cluster, the store and the bucket allow one. */
export function settledCredentials(args: TideSqlArgs): StoreCredentials {
  const { objectStore, cluster } = args;
  if (objectStore?.credentials !== undefined) return objectStore.credentials;
  // Whoever gives a key means it.
  const keyIsGiven = objectStore?.accessKeys !== undefined || objectStore?.existing !== undefined;
  if (keyIsGiven) return StoreCredentials.Key;
  const existing = cluster?.existing;
  if (existing === undefined || existing.clusterName !== undefined) return StoreCredentials.PodIdentity;
  return existing.oidcProviderArn !== undefined ? StoreCredentials.Irsa : StoreCredentials.Key;
}

/** What is wrong with the role that was asked for, as the arguments of TideSql say it. */
export function credentialProblems(args: TideSqlArgs): InputProblem[] {
  const { objectStore, cluster } = args;
  const credentials = objectStore?.credentials;
  const problem = (property: string, reason: string) => [{ propertyPath: `objectStore.${property}`, reason }];
  if (objectStore?.pods !== undefined)
    return problem("pods", "is filled in here: leave it out, and say in cluster.existing what cluster it is");
  if (credentials === undefined || credentials === StoreCredentials.Key) return [];
  const existing = cluster?.existing;
  if (credentials === StoreCredentials.Irsa && existing?.oidcProviderArn === undefined) {
    const way =
      existing === undefined
        ? 'the cluster that is made here has the agent of Pod Identity: write "podIdentity", or leave it out'
        : "give the ARN of the cluster's OIDC provider in cluster.existing.oidcProviderArn";
    return problem("credentials", `is "irsa", and there is no OIDC provider: ${way}`);
  }
  if (credentials === StoreCredentials.PodIdentity && existing !== undefined && existing.clusterName === undefined) {
    const reason =
      'is "podIdentity", and it is not known on which EKS cluster: give its name in cluster.existing.clusterName';
    return problem("credentials", reason);
  }
  if (objectStore?.existing && !isOfAws(objectStore.existing.endpoint)) {
    const reason = `is "${credentials}", but a role of AWS opens no other store: give a key in existing, and leave it out`;
    return problem("credentials", reason);
  }
  return [];
}
