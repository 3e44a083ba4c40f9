import { InputProblem } from "./inputProblem";
import { printable } from "./printable";
import { isCidr } from "./subnets";

/** A wider range is not somebody's network but a good part of the internet. */
const shortestPrefix = 8;

/** Ranges that no packet from the internet comes from; EKS refuses them. */
const privateRange = /^(10|127|169\.254|192\.168|172\.(1[6-9]|2\d|3[01]))\./;

/** What is wrong with the addresses that may reach the Kubernetes API from the internet. Paths begin with the index. */
export function validatePublicAccess(cidrs: string[]): InputProblem[] {
  return cidrs.flatMap((cidr, index) => {
    const first = cidrs.indexOf(cidr);
    const reason = rangeProblem(cidr) ?? (first < index ? `is a duplicate of [${first}]: keep one of them` : undefined);
    return reason === undefined ? [] : [{ propertyPath: `[${index}]`, reason }];
  });
}

function rangeProblem(cidr: string): string | undefined {
  const shown = printable(cidr);
  if (!isCidr(cidr)) {
    return `"${shown}" is not a range of IPv4 addresses: write one like "203.0.113.0/24", with zeros behind the prefix`;
  }
  if (Number(cidr.split("/")[1]) < shortestPrefix) {
    return `"${shown}" is open to the internet: write the addresses of your office, VPN or build machines`;
  }
  if (privateRange.test(cidr)) {
    return `"${shown}" is private: its machines reach the API from inside, without being named here`;
  }
  return undefined;
}
