import { type Finding } from "../check";
import { type Field } from "./field";
import { allContainers, containerName, podSpec, podTemplate } from "./kubernetes";

/** Volumes that the "restricted" Pod Security Standard allows (Kubernetes, Pod Security Standards). */
const allowedVolumes = [
  "configMap",
  "csi",
  "downwardAPI",
  "emptyDir",
  "ephemeral",
  "image",
  "persistentVolumeClaim",
  "projected",
  "secret",
];

/** Kernel parameters that the "baseline" Pod Security Standard allows (Kubernetes, Pod Security Standards). */
const safeSysctls = [
  "kernel.shm_rmid_forced",
  "net.ipv4.ip_local_port_range",
  "net.ipv4.ip_unprivileged_port_start",
  "net.ipv4.tcp_syncookies",
  "net.ipv4.ping_group_range",
  "net.ipv4.ip_local_reserved_ports",
  "net.ipv4.tcp_keepalive_time",
  "net.ipv4.tcp_fin_timeout",
  "net.ipv4.tcp_keepalive_intvl",
  "net.ipv4.tcp_keepalive_probes",
  "net.ipv4.tcp_rmem",
  "net.ipv4.tcp_wmem",
];

/** SELinux types that the "baseline" Pod Security Standard allows (Kubernetes, Pod Security Standards). */
const safeLabels = ["", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"];

/** What keeps a pod from the "restricted" Pod Security Standard. */
export function* restrictedFindings(workload: Field): Generator<Finding> {
  const spec = podSpec(workload);
  for (const name of ["hostNetwork", "hostPID", "hostIPC"]) {
    if (spec.at(name).flag === true)
      yield { path: spec.at(name).path, message: `${name} is on.`, wayOut: `${name}: false` };
  }
  for (const sysctl of spec.at("securityContext", "sysctls").items) {
    const name = sysctl.at("name").text ?? "";
    if (safeSysctls.includes(name)) continue;
    yield { path: sysctl.path, message: `The kernel parameter ${name} is set.`, wayOut: "no securityContext.sysctls" };
  }
  if (spec.at("shareProcessNamespace").flag === true) {
    const { path } = spec.at("shareProcessNamespace");
    const message = "The containers see each other's processes, and what stands in /proc of them.";
    yield { path, message, wayOut: "shareProcessNamespace: false" };
  }
  const annotations = podTemplate(workload).at("metadata", "annotations");
  for (const [name, profile] of annotations.isUnknown ? [] : annotations.entries) {
    if (!name.startsWith("container.apparmor.security.beta.kubernetes.io/") || profile.isUnknown) continue;
    if (profile.text !== "unconfined") continue;
    yield { path: profile.path, message: "AppArmor does not confine a container.", wayOut: "runtime/default" };
  }
  if (spec.at("securityContext", "windowsOptions", "hostProcess").flag === true) {
    const { path } = spec.at("securityContext", "windowsOptions", "hostProcess");
    yield { path, message: "The processes are the host's.", wayOut: "no windowsOptions.hostProcess" };
  }
  for (const volume of spec.at("volumes").items) {
    const kind = volume.entries.map(([key]) => key).find(key => key !== "name");
    if (kind === undefined || allowedVolumes.includes(kind)) continue;
    yield {
      path: volume.path,
      message: `A volume of kind ${kind} is used.`,
      wayOut: "emptyDir or a PersistentVolumeClaim",
    };
  }
  for (const container of allContainers(workload)) yield* containerFindings(spec.at("securityContext"), container);
}

function* containerFindings(ofPod: Field, container: Field): Generator<Finding> {
  const own = container.at("securityContext");
  /** A container's own setting takes the pod's place. */
  const effective = (...keys: string[]) => (own.at(...keys).isPresent ? own.at(...keys) : ofPod.at(...keys));
  const where = `${containerName(container)}:`;
  const wrong = (path: string, message: string, wayOut: string): Finding => ({
    path,
    message: `${where} ${message}`,
    wayOut,
  });

  for (const port of container.at("ports").items) {
    const host = port.at("hostPort");
    if ((host.number ?? 0) === 0) continue;
    yield wrong(host.path, `port ${host.text} of the node leads into it.`, "no hostPort: a Service");
  }
  const appArmor = effective("appArmorProfile", "type");
  if (appArmor.text === "Unconfined") {
    yield wrong(appArmor.path, "AppArmor does not confine it.", 'appArmorProfile: { type: "RuntimeDefault" }');
  }
  if (own.at("procMount").text === "Unmasked")
    yield wrong(own.at("procMount").path, "/proc is not masked.", 'procMount: "Default"');
  const selinux = effective("seLinuxOptions");
  const isFree =
    !safeLabels.includes(selinux.at("type").text ?? "") || selinux.at("user").isPresent || selinux.at("role").isPresent;
  if (selinux.isPresent && isFree) yield wrong(selinux.path, "SELinux does not confine it.", "no seLinuxOptions");
  if (own.at("windowsOptions", "hostProcess").flag === true) {
    const { path } = own.at("windowsOptions", "hostProcess");
    yield wrong(path, "its processes are the host's.", "no windowsOptions.hostProcess");
  }
  if (own.at("privileged").flag === true)
    yield wrong(own.at("privileged").path, "it is privileged.", "privileged: false");
  if (own.at("allowPrivilegeEscalation").flag !== false) {
    const { path } = own.at("allowPrivilegeEscalation");
    yield wrong(path, "a process may gain privileges.", "securityContext: { allowPrivilegeEscalation: false }");
  }
  if (effective("runAsNonRoot").flag !== true) {
    yield wrong(
      own.at("runAsNonRoot").path,
      "it may run as root.",
      "securityContext: { runAsNonRoot: true, runAsUser: 10001 }",
    );
  }
  if (effective("runAsUser").number === 0)
    yield wrong(effective("runAsUser").path, "it runs as root.", "runAsUser: 10001");
  if (!/^(RuntimeDefault|Localhost)$/.test(effective("seccompProfile", "type").text ?? "")) {
    yield wrong(
      own.at("seccompProfile").path,
      "system calls are not filtered.",
      'seccompProfile: { type: "RuntimeDefault" }',
    );
  }
  const { capabilities, added } = {
    capabilities: own.at("capabilities"),
    added: own.at("capabilities", "add").textList,
  };
  if (!capabilities.at("drop").textList.includes("ALL")) {
    yield wrong(capabilities.path, "capabilities are not dropped.", 'capabilities: { drop: ["ALL"] }');
  }
  const excess = added.filter(capability => capability !== "NET_BIND_SERVICE");
  if (excess.length > 0) yield wrong(capabilities.path, `it adds ${excess.join(", ")}.`, "no capabilities.add");
}
