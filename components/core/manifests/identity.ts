import { posix } from "node:path";
import { stsAudience } from "../podRole";

/** By which way the pods get a role at AWS, and its ARN where the pods must say it. @typeParam Text a string, or what becomes one when the plan is carried out */
export type PodIdentityInputs<Text> = { kind: "podIdentity" } | { kind: "irsa"; roleArn: Text };

/** EKS Pod Identity's agent, on each node of an IPv4 cluster: a link-local address (Amazon EKS User Guide, "Learn how EKS Pod Identity works"). */
export const identityAgent = { address: "169.254.170.23", port: 80, path: "/v1/credentials" };

/** By this annotation of a service account EKS and people know its role. */
export const roleAnnotation = "eks.amazonaws.com/role-arn";

/** What a kubelet's token is for, and where it is mounted. A day, as EKS has it; the kubelet renews it. */
interface IdentityToken {
  volume: string;
  audience: string;
  file: string;
}
const tokenLifetimeSeconds = 86_400;

/**
 * Names and places that EKS's webhook uses as well, so that it finds everything there and changes nothing. It is not relied upon: it has no say on clusters outside EKS, nor for a pod that is made in the seconds before a
 * new association is known everywhere; and it would give the token to every container of the pod.
 */
const tokens: Record<PodIdentityInputs<unknown>["kind"], IdentityToken> = {
  podIdentity: {
    volume: "eks-pod-identity-token",
    audience: "pods.eks.amazonaws.com",
    file: "/var/run/secrets/pods.eks.amazonaws.com/serviceaccount/eks-pod-identity-token",
  },
  irsa: {
    volume: "aws-iam-token",
    audience: stsAudience,
    file: "/var/run/secrets/eks.amazonaws.com/serviceaccount/token",
  },
};

/** The variables by which the manager finds its role. The engine gets none of them. */
export function identityEnvironment<Text>(identity: PodIdentityInputs<Text> | undefined) {
  if (!identity) return [];
  const { file } = tokens[identity.kind];
  if (identity.kind === "irsa") {
    return [
      { name: "AWS_ROLE_ARN", value: identity.roleArn },
      { name: "AWS_WEB_IDENTITY_TOKEN_FILE", value: file },
    ];
  }
  const { address, path } = identityAgent;
  return [
    { name: "AWS_CONTAINER_CREDENTIALS_FULL_URI", value: `http://${address}${path}` },
    { name: "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", value: file },
  ];
}

/** The token, for the database's container alone. */
export function identityMounts<Text>({ kind }: PodIdentityInputs<Text>) {
  const { volume, file } = tokens[kind];
  return [{ name: volume, mountPath: posix.dirname(file), readOnly: true }];
}

/** The token as the kubelet makes it. */
export function identityVolumes<Text>({ kind }: PodIdentityInputs<Text>) {
  const { volume, audience, file } = tokens[kind];
  const serviceAccountToken = { audience, expirationSeconds: tokenLifetimeSeconds, path: posix.basename(file) };
  return [{ name: volume, projected: { sources: [{ serviceAccountToken }] } }];
}
