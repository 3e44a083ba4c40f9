import * as aws from "@pulumi/aws";
import { partitionOf } from "../core/awsRegion";
import { transformed, Transform } from "../transform";
import { Surroundings } from "./surroundings";

/** A role, and what has to be there before it can do anything. */
export interface UsableRole {
  role: aws.iam.Role;
  attachments: aws.iam.RolePolicyAttachment[];
}

/**
 * A role with policies that AWS maintains.
 * @param label what the role is for: the end of its name
 * @param trust who may take it: a policy document
 * @param policies names of AWS's own policies
 */
export function makeRole(
  { parent, name, plan: { region, tags } }: Surroundings,
  transform: Transform<aws.iam.RoleArgs> | undefined,
  label: string,
  trust: string,
  policies: string[],
): UsableRole {
  const role = new aws.iam.Role(
    ...transformed(transform, `${name}-${label}`, { assumeRolePolicy: trust, tags }, { parent }),
  );
  const attachments = policies.map(
    policy =>
      new aws.iam.RolePolicyAttachment(
        `${name}-${label}-${policy}`,
        { role: role.name, policyArn: `arn:${partitionOf(region)}:iam::aws:policy/${policy}` },
        { parent },
      ),
  );
  return { role, attachments };
}
