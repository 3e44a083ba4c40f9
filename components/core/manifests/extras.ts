/** An environment variable that a user adds: its value, or where it is. @typeParam Text a string, or what becomes one when the plan is carried out */
export interface EnvironmentVariable<Text> {
  name: string;
  value?: Text;
  secretName?: Text;
  configMapName?: Text;
  /** Default: the variable's name. */
  key?: string;
}

/** A volume that a user adds, of one source. */
export interface ExtraVolume<Text> {
  name: string;
  mountPath: string;
  /** Default true. */
  readOnly?: boolean;
  secretName?: Text;
  configMapName?: Text;
  claimName?: Text;
  scratchGiB?: number;
  csiDriver?: string;
  csiAttributes?: Record<string, Text>;
}

/** What a user adds to the pods. */
export interface PodExtras<Text> {
  labels: Record<string, Text>;
  annotations: Record<string, Text>;
  environment: EnvironmentVariable<Text>[];
  volumes: ExtraVolume<Text>[];
}

/** The variables as a container has them. */
export function environmentManifest<Text>(variables: EnvironmentVariable<Text>[]) {
  return variables.map(({ name, value, secretName, configMapName, key = name }) => {
    if (secretName !== undefined) return { name, valueFrom: { secretKeyRef: { name: secretName, key } } };
    if (configMapName !== undefined) return { name, valueFrom: { configMapKeyRef: { name: configMapName, key } } };
    return { name, value };
  });
}

/** The volumes as a pod has them. */
export function extraVolumesManifest<Text>(volumes: ExtraVolume<Text>[]) {
  return volumes.map(volume => ({ name: volume.name, ...source(volume) }));
}

/** And as a container mounts them. */
export function extraMountsManifest<Text>(volumes: ExtraVolume<Text>[]) {
  return volumes.map(({ name, mountPath, readOnly = true }) => ({ name, mountPath, readOnly }));
}

function source<Text>({ readOnly = true, ...volume }: ExtraVolume<Text>) {
  const { secretName, configMapName, claimName, scratchGiB, csiDriver, csiAttributes } = volume;
  if (secretName !== undefined) return { secret: { secretName } };
  if (configMapName !== undefined) return { configMap: { name: configMapName } };
  if (claimName !== undefined) return { persistentVolumeClaim: { claimName, readOnly } };
  if (csiDriver !== undefined) {
    return { csi: { driver: csiDriver, readOnly, ...(csiAttributes && { volumeAttributes: csiAttributes }) } };
  }
  return { emptyDir: { sizeLimit: `${scratchGiB}Gi` } };
}
