/** One statement of a policy document, in the words of IAM. */
export interface PolicyStatement {
  Sid: string;
  Effect: "Allow" | "Deny";
  Action: string | string[];
  Resource?: string | string[];
  Principal?: string | { Service: string } | { AWS: string } | { Federated: string };
  Condition?: Record<string, Record<string, string | string[]>>;
}

/** The only version of the policy language that has variables and is current. */
const languageVersion = "2012-10-17";

/** A policy document as JSON. The same statements give the same text, so that a plan shows no change where there is none. */
export function policyDocument(statements: PolicyStatement[]): string {
  return JSON.stringify({ Version: languageVersion, Statement: statements });
}

/** Lets an AWS service take a role. */
export function serviceTrust(service: string): string {
  return policyDocument([
    { Sid: "Service", Effect: "Allow", Principal: { Service: service }, Action: "sts:AssumeRole" },
  ]);
}

/** Lets pods of an EKS cluster take a role, through the Pod Identity agent on their node, which tags the session with cluster, namespace and service account. */
export const podIdentityTrust: string = policyDocument([
  {
    Sid: "PodIdentity",
    Effect: "Allow",
    Principal: { Service: "pods.eks.amazonaws.com" },
    Action: ["sts:AssumeRole", "sts:TagSession"],
  },
]);
