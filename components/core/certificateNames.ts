import { DatabaseNames } from "./names";

type CertifiedNames = Pick<DatabaseNames, "namespace" | "headlessService" | "primaryService" | "replicaService">;

/** Names that a database's certificate holds for: its Services as clients write them, its pods as their peers do, and a forwarded port on one's own machine. */
export function certificateDnsNames(names: CertifiedNames, clusterDomain: string, additional: string[]): string[] {
  const { namespace, headlessService, primaryService, replicaService } = names;
  const spelled = (service: string) => [
    service,
    `${service}.${namespace}`,
    `${service}.${namespace}.svc`,
    `${service}.${namespace}.svc.${clusterDomain}`,
  ];
  // One name for all pods: with a name each, a change of the number of replicas would make a new certificate.
  const pods = [`*.${headlessService}.${namespace}.svc`, `*.${headlessService}.${namespace}.svc.${clusterDomain}`];
  const services = [primaryService, replicaService, headlessService].flatMap(spelled);
  return [...new Set([...services, ...pods, "localhost", ...additional])];
}

/** A forwarded port, reached by address. */
export const certificateIpAddresses = ["127.0.0.1", "::1"];
