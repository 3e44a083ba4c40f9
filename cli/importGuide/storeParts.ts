import { printable } from "../../components/core/printable";
import { regionalEndpoint } from "../../components/core/objectStoreLocation";
import { parseImageReference, validateImageReference } from "../../components/core/imageReference";
import { credentialByName, exampleValues } from "../../policy/model/credentials";
import { isOn, type EngineSettings } from "../../policy/model/engineSettings";
import type { Field } from "../../policy/model/field";
import { allContainers, kindOf, nameOf } from "../../policy/model/kubernetes";
import type { Written } from "./code";
import type { Draft } from "./draft";
import { type HandMade, settingOf } from "./handMade";

const pinnedImage = `registry.example/tidesql@sha256:${"0".repeat(64)}`;
const globalEndpoint = /^(https?:\/\/)?s3\.amazonaws\.com\/?$/i;

const regionalHost = /(?:^|[./])s3[.-]((?:[a-z]+-)+\d)\.amazonaws\.com/i;

/** The image: what a tag like `latest` means changes under a database's feet. */
export function pinImage(draft: Draft, { primary }: HandMade): void {
  const image = primary.container.at("image").text ?? "";
  if (validateImageReference("image", image).length === 0) {
    draft.args.image = image;
    draft.change(
      `the image is taken over: it needs TideSQL 4.5.7 or later of 4.x; earlier ones lose tables made after a failover`,
    );
    return;
  }
  const repository = parseImageReference(image)?.repository ?? "REPOSITORY";
  const note = `by digest, like ${repository}@sha256:..., with TideSQL 4.5.7 or later of 4.x`;
  draft.args.image = draft.fromConfiguration("image", pinnedImage, note);
  draft.change(
    `the image is named by digest in place of ${printable(image) || "nothing"}, which is another one tomorrow: every node runs the same engine`,
  );
}

/** Bucket, endpoint and key. */
export function nameObjectStore(draft: Draft, { settings }: HandMade): void {
  const region = regionOf(settings);
  const useTls = flagOf(settings, "tidesdb_s3_use_ssl");
  const pathStyle = flagOf(settings, "tidesdb_s3_path_style");
  const authority = settingOf(settings, "tidesdb_s3_tls_ca_path") !== undefined;
  const skipsVerification = flagOf(settings, "tidesdb_s3_tls_insecure_skip_verify") === true;
  const store: Record<string, Written> = {
    endpoint: endpointOf(draft, settings, region),
    ...bucketOf(draft, settings),
    region: region ?? draft.fromConfiguration("region", "us-east-1", "the bucket's region"),
    pathStyle: pathStyle === true || needsPathStyle(settings) ? true : undefined,
    useTls: useTls === false ? false : undefined,
    accessKeyId: draft.fromSecret("accessKeyId", keyNote(settings, "tidesdb_s3_access_key"), "stand-in"),
    secretAccessKey: draft.fromSecret("secretAccessKey", keyNote(settings, "tidesdb_s3_secret_key"), "stand-in"),
  };
  if (authority || skipsVerification) {
    const note = "PEM of the authority that signed the store's certificate";
    store.caCertificate = draft.fromConfiguration("storeAuthority", "", note);
    draft.change("the store's certificate is verified, by the authority that the program is given");
  }
  draft.args.objectStore = store;
  if (useTls === false) {
    draft.change("objectStore.useTls stays false, as tidesdb_s3_use_ssl was: the policies refuse that in production");
  }
  draft.change(keyChange(settings));
}

/** An endpoint that belongs to a region decides: the engine follows no redirect from one to another. */
function regionOf(settings: EngineSettings): string | undefined {
  const endpoint = settingOf(settings, "tidesdb_s3_endpoint") ?? "";
  return regionalHost.exec(endpoint)?.[1] ?? settingOf(settings, "tidesdb_s3_region");
}

function endpointOf(draft: Draft, settings: EngineSettings, region: string | undefined): Written {
  const endpoint = settingOf(settings, "tidesdb_s3_endpoint");
  if (endpoint !== undefined && !globalEndpoint.test(endpoint)) return endpoint.replace(/^https?:\/\/|\/+$/g, "");
  if (region === undefined) {
    return draft.fromConfiguration("endpoint", "s3.us-east-1.amazonaws.com", "s3.<region>.amazonaws.com");
  }
  const regional = regionalEndpoint(region);
  draft.change(`the endpoint is ${regional}: the global one answers with redirects, which the engine does not follow`);
  return regional;
}

/** Where no name below the endpoint could hold the bucket's, or no certificate would hold for it. */
function needsPathStyle(settings: EngineSettings): boolean {
  const isAddress = /^(https?:\/\/)?[\d.]+(:\d+)?\/?$/.test(settingOf(settings, "tidesdb_s3_endpoint") ?? "");
  return isAddress || (settingOf(settings, "tidesdb_s3_bucket") ?? "").includes(".");
}

/** The old engine takes everything below its prefix for its own: without one, that is the whole bucket. */
function bucketOf(draft: Draft, settings: EngineSettings): Record<string, Written> {
  const bucket = settingOf(settings, "tidesdb_s3_bucket") ?? "";
  const oldPrefix = settingOf(settings, "tidesdb_s3_prefix") ?? "";
  if (oldPrefix === "" || bucket === "") {
    const name = bucket === "" ? "" : `, not ${bucket}`;
    draft.change(
      `the data goes to a bucket of its own${name}: the hand-made deployment takes the whole of its bucket for itself, and both run while the data moves`,
    );
    return { bucket: draft.fromConfiguration("bucket", "a-bucket-of-its-own", `a new bucket${name}`) };
  }
  const prefix = `${draft.name}/`;
  const ownPrefix = oldPrefix.startsWith(prefix) || prefix.startsWith(oldPrefix) ? `${draft.name}-managed/` : undefined;
  draft.change(`the data goes below ${ownPrefix ?? prefix} in ${bucket}, beside ${oldPrefix}, which is left as it is`);
  return { bucket, ...(ownPrefix !== undefined && { prefix: ownPrefix }) };
}

/** Where a part of the key stood. Never the key. */
function keyNote(settings: EngineSettings, name: string): string {
  const value = settingOf(settings, name);
  if (value === undefined) return "of the object store";
  if (exampleValues.includes(value)) return `of the object store (the files have the guide's placeholder)`;
  return `a new key: the old one stands in ${holderOf(settings, name)}`;
}

function keyChange(settings: EngineSettings): string {
  const value = settingOf(settings, "tidesdb_s3_secret_key") ?? settingOf(settings, "tidesdb_s3_access_key");
  if (value === undefined) return "the access key is a secret of the stack, and a file in the pod";
  const holder = holderOf(settings, "tidesdb_s3_secret_key");
  return `the access key in ${holder} becomes a secret of the stack and a Secret's file: make a new key, since everyone who may read ${holder} has the old one`;
}

function holderOf(settings: EngineSettings, name: string): string {
  const source = settings.seenWithPrefix(name)[0]?.source;
  const object = source && `${kindOf(source.resource.type) ?? "object"} ${source.resource.name}`;
  return object ?? "the configuration";
}

function flagOf(settings: EngineSettings, name: string): boolean | undefined {
  const text = settingOf(settings, name);
  return text === undefined ? undefined : isOn(text);
}

/** The failover that the managers replace. */
export function replaceController(draft: Draft, { controllers }: HandMade): void {
  for (const controller of controllers) {
    const title = `${kindOf(controller.resource.type)} ${nameOf(controller)}`;
    draft.change(
      `${title} is dropped: it promotes without knowing that the old primary is dead, once, and exits; here each pod's manager does it under a Lease, again and again`,
    );
    for (const name of passwordsOf(controller)) {
      draft.change(
        `the password in ${name} of ${title} is not needed any more: the manager works over the local socket, with an account of its own`,
      );
    }
  }
}

function passwordsOf(workload: Field): string[] {
  const variables = allContainers(workload).flatMap(container => container.at("env").items);
  return variables.flatMap(variable => {
    const [name, value] = [variable.at("name").text, variable.at("value").text];
    return name !== undefined && value !== undefined && credentialByName(name, value) !== undefined ? [name] : [];
  });
}
