import { InputProblem } from "./inputProblem";
import { printable } from "./printable";

/**
 * End of EKS's standard support by version, as `YYYY-MM-DD` ("Understand the Kubernetes version lifecycle on EKS" in its user guide, read in November 2026; where it names a month, the first of
 * it). Afterwards a control plane costs six times as much, or is upgraded whether that suits or not. Older versions are out of it.
 */
export const endOfStandardSupport: Readonly<Record<string, string>> = {
  "1.34": "2026-12-02",
  "1.35": "2027-03-01",
  "1.36": "2027-08-01",
};

/** The day on which the table above was last compared with EKS's own. */
export const supportCheckedOn = "2026-11-21";

/** The version with the longest support ahead. */
export const defaultKubernetesVersion = "1.36";

/**
 * What is wrong with a version of Kubernetes for an EKS cluster.
 * @param today as `YYYY-MM-DD`. Default: when the table was checked, so that the same program gives the same plan on every day.
 */
export function validateKubernetesVersion(version: string, today: string = supportCheckedOn): InputProblem[] {
  const propertyPath = "kubernetesVersion";
  const supported = Object.entries(endOfStandardSupport)
    .filter(([, end]) => today < end)
    .map(([known]) => known);
  const wayOut =
    supported.length > 0
      ? `choose ${supported.join(" or ")}`
      : "none of those known here is: install a newer version of this package";
  if (!/^\d+\.\d+$/.test(version)) {
    return [
      { propertyPath, reason: `"${printable(version)}" is not a version of EKS, which has two numbers: ${wayOut}` },
    ];
  }
  if (supported.includes(version)) return [];
  const end = endOfStandardSupport[version];
  const isNewer = Object.keys(endOfStandardSupport).every(known => minorOf(version) > minorOf(known));
  const why =
    end !== undefined
      ? `has been out of standard support since ${end}`
      : isNewer
        ? "is not known here"
        : "is out of standard support";
  return [{ propertyPath, reason: `${version} ${why}: ${wayOut}` }];
}

function minorOf(version: string): number {
  return Number(version.split(".")[1]);
}
