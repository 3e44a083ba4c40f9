import { partitionOf } from "./awsRegion";
import { InputProblem } from "./inputProblem";
import { printable } from "./printable";

/** An IAM role or user, taken apart. */
interface Principal {
  accountId: string;
  /** `role/platform`, `user/team/ada`. */
  resource: string;
}

/** What is wrong with the ARNs of those who administer a cluster. Paths begin with the index. */
export function validateAdministrators(region: string, arns: string[]): InputProblem[] {
  return arns.flatMap((arn, index) => {
    const reason = arns.indexOf(arn) < index ? "is there already: name each once" : arnProblem(region, arn);
    return reason === undefined ? [] : [{ propertyPath: `[${index}]`, reason }];
  });
}

/** A name for a principal that differs from every other's: `123456789012-role-platform`. */
export function principalLabel(arn: string): string {
  const { accountId, resource } = parsePrincipal(arn)!;
  return `${accountId}-${resource.replace(/[^A-Za-z0-9]+/g, "-")}`;
}

function arnProblem(region: string, arn: string): string | undefined {
  const shown = printable(arn);
  if (/:sts:.*:assumed-role\//.test(arn)) {
    return `"${shown}" is a session, which ends: write its role, like "arn:aws:iam::123456789012:role/platform"`;
  }
  if (parsePrincipal(arn) === undefined) {
    return `"${shown}" is not a role or user: write one like "arn:aws:iam::123456789012:role/platform"`;
  }
  const partition = partitionOf(region);
  if (!arn.startsWith(`arn:${partition}:`))
    return `"${shown}" is of another partition than ${region}: write "arn:${partition}:..."`;
  return undefined;
}

function parsePrincipal(arn: string): Principal | undefined {
  const match = /^arn:aws(?:-[a-z-]+)?:iam::(\d{12}):((?:role|user)\/[\w+=,.@/-]+)$/.exec(arn);
  return match === null ? undefined : { accountId: match[1]!, resource: match[2]! };
}
