import { InputProblem } from "./inputProblem";
import { NetworkPeer } from "./manifests/networkPolicy";
import { printable } from "./printable";

/** What is wrong with those who may connect. Paths begin with the index. */
export function validateNetworkPeers(peers: NetworkPeer[]): InputProblem[] {
  return peers.flatMap((peer, index) =>
    peerProblems(peer).map(problem => ({
      ...problem,
      propertyPath: `[${index}]${problem.propertyPath && `.${problem.propertyPath}`}`,
    })),
  );
}

/** What is wrong with the names of labels or annotations. Paths are the names. */
export function validateLabelKeys(named: object): InputProblem[] {
  return Object.keys(named).flatMap(key =>
    labelKey.test(key)
      ? []
      : [
          {
            propertyPath: printable(key),
            reason:
              "is not a label's name: write letters, digits, -, _ and ., at most 63, after a domain and / if it has one",
          },
        ],
  );
}

/** What is wrong with labels that select nodes, namespaces or pods. Paths are their names. */
export function validateLabels(labels: Record<string, string>): InputProblem[] {
  return Object.entries(labels).flatMap(([key, value]) => {
    const wrongKey = validateLabelKeys({ [key]: value });
    if (wrongKey.length > 0) return wrongKey;
    if (!labelValue.test(value)) {
      return [
        {
          propertyPath: key,
          reason: `"${printable(value)}" is not a label's value: write letters, digits, -, _ and ., at most 63`,
        },
      ];
    }
    return [];
  });
}

const labelKey = /^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const labelValue = /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/;

function peerProblems({ namespaceLabels, podLabels, cidr }: NetworkPeer): InputProblem[] {
  const byLabels = namespaceLabels !== undefined || podLabels !== undefined;
  if (cidr === undefined && !byLabels) {
    return [
      { propertyPath: "", reason: 'names nobody: give podLabels, namespaceLabels or cidr ("0.0.0.0/0" is everybody)' },
    ];
  }
  if (cidr !== undefined && byLabels) {
    return [{ propertyPath: "cidr", reason: "cannot go with labels, which are the pods' own: write two entries" }];
  }
  if (cidr !== undefined && !isCidr(cidr)) {
    return [
      { propertyPath: "cidr", reason: `"${printable(cidr)}" is not a range of addresses: write one like 10.0.0.0/16` },
    ];
  }
  return [namespaceLabels ?? {}, podLabels ?? {}].flatMap((labels, which) =>
    validateLabels(labels).map(({ propertyPath, reason }) => ({
      propertyPath: `${which === 0 ? "namespaceLabels" : "podLabels"}.${propertyPath}`,
      reason,
    })),
  );
}

/** Whether a text is a range of IPv4 or IPv6 addresses in CIDR notation. */
export function isCidr(text: string): boolean {
  const [address = "", bits = "", ...rest] = text.split("/");
  if (rest.length > 0 || !/^\d{1,3}$/.test(bits)) return false;
  if (/^\d{1,3}(\.\d{1,3}){3}$/.test(address)) {
    return Number(bits) <= 32 && address.split(".").every(part => Number(part) <= 255);
  }
  return Number(bits) <= 128 && /^[0-9a-fA-F:]*:[0-9a-fA-F:]*$/.test(address) && address.length >= 2;
}
