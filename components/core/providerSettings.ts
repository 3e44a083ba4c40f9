/**
 * How the Kubernetes provider changes ConfigMaps and Secrets: in place. By itself it deletes one whose content changes and recreates it, and a pod that starts in between, or after an `up` that failed there, waits
 * for an object that is not there.
 */
export const changeInPlace = { enableConfigMapMutable: true, enableSecretMutable: true } as const;
