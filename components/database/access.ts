import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { roleBindingManifest, roleManifest, serviceAccountManifest } from "../core/manifests/rbac";
import { transformed } from "../transform";
import { roleAnnotation } from "../core/manifests/identity";
import { StoreCredentials } from "../objectStore/credentials";
import { DatabaseContext } from "./context";

/** The pods' account and what it may do. @param roleArn of the account at AWS, which IRSA wants beside it */
export function makeAccess(
  { name, settings, transform, inside }: DatabaseContext,
  roleArn: pulumi.Output<string> | undefined,
): pulumi.Resource[] {
  const { names, credentials } = settings;
  const isIrsa = credentials.kind === StoreCredentials.Irsa && roleArn !== undefined;
  const account = new k8s.core.v1.ServiceAccount(
    ...transformed(
      transform.serviceAccount,
      `${name}-account`,
      serviceAccountManifest(names, {
        ...settings.serviceAccountAnnotations,
        ...(isIrsa && { [roleAnnotation]: roleArn }),
      }),
      inside,
    ),
  );
  const role = new k8s.rbac.v1.Role(...transformed(transform.role, `${name}-role`, roleManifest(names), inside));
  const binding = new k8s.rbac.v1.RoleBinding(
    ...transformed(transform.roleBinding, `${name}-role-binding`, roleBindingManifest(names), {
      ...inside,
      dependsOn: [account, role],
    }),
  );
  return [account, role, binding];
}
