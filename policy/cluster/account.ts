import { Level, resourceCheck } from "../check";
import { ofAwsKind } from "../model/aws";

/** What the cluster takes from the account: keys and images. */
export const accountChecks = [
  resourceCheck({
    id: "cluster-key-rotation",
    description: "KMS keys are rotated.",
    why: "A key that is never changed protects everything that was ever written with it.",
    fix: "enableKeyRotation: true",
    level: Level.advisory,
    applies: ofAwsKind("kms:Key"),
    *evaluate(key) {
      const isSymmetric = /^(SYMMETRIC_DEFAULT)?$/.test(key.at("customerMasterKeySpec").text ?? "");
      if (!isSymmetric || key.at("enableKeyRotation").flag === true) return;
      yield { path: "enableKeyRotation", message: "The key is never rotated." };
    },
    repair: () => [{ path: ["enableKeyRotation"], value: true }],
  }),

  resourceCheck({
    id: "cluster-image-repository",
    description: "A registry's tags do not move, and its images are scanned.",
    why: "A tag that can be pushed again installs another engine at the next restart of a pod.",
    fix: 'imageTagMutability: "IMMUTABLE", and imageScanningConfiguration: { scanOnPush: true }',
    level: Level.mandatory,
    development: { level: Level.advisory },
    applies: ofAwsKind("ecr:Repository"),
    *evaluate(repository) {
      const mutability = repository.at("imageTagMutability");
      if (!/^IMMUTABLE/.test(mutability.text ?? "")) {
        yield { path: mutability.path, message: "Tags can be overwritten.", wayOut: 'imageTagMutability: "IMMUTABLE"' };
      }
      const scan = repository.at("imageScanningConfiguration", "scanOnPush");
      if (scan.flag !== true) {
        yield {
          path: scan.path,
          message: "Images are not scanned.",
          wayOut: "imageScanningConfiguration: { scanOnPush: true }",
        };
      }
    },
    repair: repository =>
      repository.at("imageScanningConfiguration", "scanOnPush").flag === true
        ? []
        : [{ path: ["imageScanningConfiguration", "scanOnPush"], value: true }],
  }),
];
