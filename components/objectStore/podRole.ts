import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { bucketArn } from "../core/bucketPolicies";
import { InputProblem, under } from "../core/inputProblem";
import { validateNamespaceName } from "../core/names";
import { validatePrefix } from "../core/objectStoreLocation";
import { podRolePolicy, validateOidcProvider, webIdentityTrust } from "../core/podRole";
import { podIdentityTrust } from "../core/policyDocument";
import { refuseInvalid } from "../refuse";
import { transformed } from "../transform";
import { ObjectStorePodsArgs, ObjectStoreTransforms } from "./arguments";
import { StoreCredentials } from "./credentials";

/** What a role depends on. */
interface PodRoleInputs {
  region: string;
  bucket: pulumi.Input<string>;
  credentials: StoreCredentials;
  pods: ObjectStorePodsArgs;
  vpcEndpointId?: pulumi.Input<string>;
  tags?: Record<string, string>;
}

/** The role of a database's pods, confined to the database's folder. @returns its ARN, known once the pods may take it and it may do what they need */
export function makePodRole(
  parent: pulumi.Resource,
  name: string,
  { region, bucket, credentials, pods, vpcEndpointId, tags }: PodRoleInputs,
  transform: ObjectStoreTransforms,
): pulumi.Output<string> {
  const { database, namespace, prefix } = known(name, pods);
  const isPodIdentity = credentials === StoreCredentials.PodIdentity;
  const role = new aws.iam.Role(
    ...transformed(
      transform.podRole,
      `${name}-pods`,
      {
        description: `Pods of the TideSQL database ${database}`,
        assumeRolePolicy: isPodIdentity ? podIdentityTrust : webIdentityTrustOf(name, pods, namespace),
        tags,
      },
      { parent },
    ),
  );
  const policy = new aws.iam.RolePolicy(
    ...transformed(
      transform.podRolePolicy,
      `${name}-pods-policy`,
      {
        role: role.name,
        policy: pulumi
          .all([bucket, prefix, vpcEndpointId, pods.restoreFrom])
          .apply(([bucketName, folder, endpointId, from]) =>
            podRolePolicy(bucketArn(region, bucketName), folder, {
              vpcEndpointId: endpointId,
              restoreFrom: from && { arn: bucketArn(region, from.bucket ?? bucketName), prefix: from.prefix },
            }),
          ),
      },
      { parent },
    ),
  );
  const association = isPodIdentity
    ? new aws.eks.PodIdentityAssociation(
        ...transformed(
          transform.podIdentityAssociation,
          `${name}-pods`,
          { region, clusterName: pods.clusterName!, namespace, serviceAccount: database, roleArn: role.arn, tags },
          { parent, dependsOn: [policy] },
        ),
      )
    : undefined;
  return pulumi.all([role.arn, policy.id, association?.id]).apply(([arn]) => arn);
}

/** What was left out filled in, and what only becomes known when the plan is carried out judged then. */
function known(name: string, { database, namespace = database, prefix = `${database}/` }: ObjectStorePodsArgs) {
  const judged = (value: pulumi.Input<string>, judge: (value: string) => InputProblem[]) =>
    typeof value === "string" ? value : pulumi.output(value).apply(text => checked(name, text, judge));
  return {
    database,
    namespace: judged(namespace, text => validateNamespaceName(text, false)),
    prefix: judged(prefix, validatePrefix),
  };
}

function webIdentityTrustOf(
  name: string,
  { database, oidcProviderArn }: ObjectStorePodsArgs,
  namespace: pulumi.Input<string>,
): pulumi.Output<string> {
  return pulumi.all([oidcProviderArn!, namespace]).apply(([arn, space]) => {
    checked(name, arn, text => validateOidcProvider("oidcProviderArn", text));
    return webIdentityTrust(arn, space, database);
  });
}

function checked(name: string, value: string, judge: (value: string) => InputProblem[]): string {
  refuseInvalid(`ObjectStore "${name}"`, under("pods", judge(value)));
  return value;
}
