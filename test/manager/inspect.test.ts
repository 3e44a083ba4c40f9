import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { buildSync } from "esbuild";
import { podLayout } from "../../components/core/podLayout";
import { s3Bucket } from "../../components/manager/store/bucket/s3Bucket";
import { createLog } from "../../components/manager/store/log/seal";
import { S3Server } from "../engine/objectStore/s3Server";
import { steppedClock } from "./store/memoryBucket";
import { configuration } from "./views";

describe("the program that history and check run in a pod", () => {
  let folder: string;
  let server: S3Server;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "inspect-"));
    server = await S3Server.start("orders-data");
    const program = buildSync({
      entryPoints: [join(__dirname, "../../components/manager/inspect.ts")],
      bundle: true,
      platform: "node",
      minify: true,
      write: false,
    }).outputFiles[0]!.text;
    // The pod's folders, below one of this test's.
    writeFileSync(join(folder, "inspect.js"), program.replaceAll('"/etc/tidesql/', `"${folder}/`));
    mkdirSync(join(folder, "config"));
    mkdirSync(join(folder, "object-store"));
    for (const name of ["accessKeyId", "secretAccessKey"]) writeFileSync(join(folder, "object-store", name), "tests");
    assert.ok(podLayout.managerConfiguration.startsWith("/etc/tidesql/config/"));
  });
  after(async () => {
    server.stop();
    await fs.rm(folder, { recursive: true });
  });

  function run(...command: string[]) {
    const { databaseId, nodes, ...body } = configuration;
    const objectStore = {
      endpoint: server.endpoint,
      bucket: "orders-data",
      region: "us-east-1",
      prefix: "orders/",
      useTls: false,
      pathStyle: true,
    };
    writeFileSync(join(folder, "config/manager.json"), JSON.stringify({ ...body, objectStore }));
    writeFileSync(join(folder, "config/databaseId"), databaseId);
    writeFileSync(join(folder, "config/nodes"), String(nodes));
    return promisify(execFile)(process.execPath, [join(folder, "inspect.js"), ...command]);
  }

  it("reads the bucket with the pod's configuration and key, and answers in JSON", async () => {
    const bucket = s3Bucket(
      {
        endpoint: server.endpoint,
        bucket: "orders-data",
        region: "us-east-1",
        prefix: "orders/",
        useTls: false,
        pathStyle: true,
      },
      { current: () => Promise.resolve({ accessKeyId: "tests", secretAccessKey: "tests" }) },
    );
    await createLog(bucket, "d1", "test", steppedClock());
    const history = JSON.parse((await run("history")).stdout) as { place: string; every: { until: object } };
    assert.equal(history.place, "s3://orders-data/orders/");
    assert.deepEqual(history.every.until, { position: 0, time: "2027-01-15T08:00:00.000Z" });
    const report = JSON.parse((await run("check")).stdout) as { problems: string[]; position: number };
    assert.deepEqual([report.position, report.problems], [0, []]);
    const restored = JSON.parse((await run("restore", "0", "copy/", "--fill")).stdout) as { folder: string };
    assert.equal(restored.folder, "complete");
    assert.ok(server.store.objects.has("copy/owner.json"));
    const refused = JSON.parse((await run("restore", "9", "other/")).stdout) as { refused: string };
    assert.match(refused.refused, /position 9 is not there yet/);
  }).timeout(60_000);
});
