import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { configurationHash } from "../core/configurationHash";
import { engineConfigurationText } from "../core/engineConfiguration";
import { ObjectStoreLocation } from "../core/managerConfiguration";
import { managerConfigurationText } from "../core/managerConfigurationText";
import { configurationManifest, managerManifest } from "../core/manifests/configMaps";
import { ManagerBundle } from "../managerBundle";
import { transformed } from "../transform";
import { Accounts } from "./accounts";
import { DatabaseArgs } from "./arguments";
import { DatabaseContext } from "./context";
import { restoreSource } from "./restore";

/** The texts of the ConfigMap `<name>-config`, without the number of pods. */
export interface ConfigurationTexts {
  engine: pulumi.Output<string>;
  manager: pulumi.Output<string>;
  databaseId: pulumi.Output<string>;
}

/** What the engine and the manager are told, once the store is known. */
export function configurationTexts(
  { settings }: DatabaseContext,
  args: DatabaseArgs,
  store: pulumi.Output<ObjectStoreLocation>,
  databaseId: pulumi.Output<string>,
  accounts: pulumi.Output<Accounts>,
): ConfigurationTexts {
  const { names, durability, requireTls } = settings;
  const restore = restoreSource(names.database, args.restore, store);
  return {
    engine: store.apply(({ region }) =>
      engineConfigurationText({
        durability,
        region,
        requireTls,
        sizing: settings.sizing,
        automaticCompaction: settings.automaticCompaction,
        settings: settings.engineSettings,
      }),
    ),
    manager: pulumi
      .all([store, accounts, names.namespace, restore])
      .apply(([objectStore, { databases, users }, namespace, from]) =>
        managerConfigurationText({
          name: names.database,
          namespace,
          headlessService: names.headlessService,
          terminationGracePeriodSeconds: settings.terminationGracePeriodSeconds,
          leaseDurationSeconds: settings.leaseDurationSeconds,
          leaseMarginSeconds: settings.leaseMarginSeconds,
          durability,
          history: settings.history,
          ...(from && { restore: from }),
          failoverPreference: settings.failoverPreference,
          resumeWithinSeconds: settings.resumeWithinSeconds,
          maxDataLossSeconds: settings.maxDataLossSeconds,
          onObjectStoreOutage: settings.onObjectStoreOutage,
          objectStore,
          ...(settings.credentials.isRole && { credentials: settings.credentials.kind }),
          mariadbPrefix: settings.mariadbPrefix,
          databases,
          users,
          requireTls,
        }),
      ),
    databaseId,
  };
}

/** Both ConfigMaps: what the pods are told, and the program that they run. */
export function makeConfigMaps(
  context: DatabaseContext,
  texts: ConfigurationTexts,
  bundle: ManagerBundle,
): pulumi.Resource[] {
  const { name, settings, transform, inside } = context;
  const { names } = settings;
  return [
    new k8s.core.v1.ConfigMap(
      ...transformed(
        transform.configuration,
        `${name}-config`,
        configurationManifest<pulumi.Input<string>>(names, texts),
        inside,
      ),
    ),
    new k8s.core.v1.ConfigMap(
      ...transformed(transform.manager, `${name}-manager`, managerManifest(names, bundle), inside),
    ),
  ];
}

/** Changes with everything that a pod reads at its start and not again: the number of pods is not among it, so that a change of it replaces none. */
export function hashOf(
  texts: ConfigurationTexts,
  bundle: ManagerBundle,
  secretsFingerprint: pulumi.Output<string>,
): pulumi.Output<string> {
  return pulumi
    .all([texts.engine, texts.manager, texts.databaseId, secretsFingerprint])
    .apply(([engine, manager, databaseId, secrets]) =>
      configurationHash({ engine, manager, databaseId, secrets, script: bundle.manager, watchdog: bundle.watchdog }),
    );
}
