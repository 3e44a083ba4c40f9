import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { validateImageReference } from "../core/imageReference";
import { disruptionBudgetManifest } from "../core/manifests/disruptionBudget";
import { priorityClassManifest } from "../core/manifests/priorityClass";
import { PodIdentityInputs } from "../core/manifests/identity";
import { statefulSetManifest } from "../core/manifests/statefulSet";
import { StoreCredentials } from "../objectStore/credentials";
import { refuseInvalid } from "../refuse";
import { transformed } from "../transform";
import { DatabaseContext } from "./context";

/** What the claims are made from that are missing. */
const claimTemplateSpec = "spec.volumeClaimTemplates[0].spec";

/** A large database may take long to hand over, and a replica to load its tables. */
const statefulSetTimeouts = { create: "30m", update: "60m", delete: "10m" };

/** What decides where pods run and when they may be taken away. */
export function makeScheduling({ name, settings, transform, inside, outside }: DatabaseContext): pulumi.Resource[] {
  const { names, storage, priorityClassName } = settings;
  const budget = new k8s.policy.v1.PodDisruptionBudget(
    ...transformed(
      transform.disruptionBudget,
      `${name}-disruption-budget`,
      disruptionBudgetManifest(names, !storage.onInstanceStore),
      inside,
    ),
  );
  if (priorityClassName !== undefined) return [budget];
  const priorityClass = new k8s.scheduling.v1.PriorityClass(
    ...transformed(transform.priorityClass, `${name}-priority`, priorityClassManifest(names), outside),
  );
  return [budget, priorityClass];
}

/** What only becomes known when the plan is carried out, and what the pods wait for. */
export interface StatefulSetParts {
  image: pulumi.Input<string>;
  configurationHash: pulumi.Output<string>;
  /** The pods' role at AWS, where there is one. */
  role: pulumi.Output<string> | undefined;
  before: pulumi.Resource[];
}

/** The pods, after everything that they read. */
export function makeStatefulSet(
  { name, settings, transform, outside }: DatabaseContext,
  parts: StatefulSetParts,
): void {
  const { names } = settings;
  const manifest = statefulSetManifest<pulumi.Input<string>>(names, {
    ...settings,
    priorityClassName: settings.priorityClassName ?? names.priorityClass,
    image: checkedImage(name, parts.image),
    configurationHash: parts.configurationHash,
    identity: identityOf(settings, parts.role),
  });
  new k8s.apps.v1.StatefulSet(
    ...transformed(transform.statefulSet, `${name}-stateful-set`, manifest, {
      ...outside,
      dependsOn: parts.before,
      // Fixed once made: the claims are changed one by one (see volumes.ts). A StatefulSet that is replaced takes all pods down at once.
      ...(!settings.storage.onInstanceStore && { ignoreChanges: [claimTemplateSpec] }),
      customTimeouts: statefulSetTimeouts,
    }),
  );
}

function identityOf(
  { credentials }: DatabaseContext["settings"],
  role: pulumi.Output<string> | undefined,
): PodIdentityInputs<pulumi.Input<string>> | undefined {
  const { kind } = credentials;
  if (kind === StoreCredentials.Key) return undefined;
  return kind === StoreCredentials.PodIdentity ? { kind } : { kind, roleArn: role! };
}

function checkedImage(name: string, image: pulumi.Input<string>): pulumi.Input<string> {
  if (typeof image === "string") return image;
  return pulumi.output(image).apply(known => {
    refuseInvalid(`Database "${name}"`, validateImageReference("image", known));
    return known;
  });
}
