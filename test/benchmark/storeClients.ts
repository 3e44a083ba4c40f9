import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { databaseContainer } from "../../components/core/manifests/containers";
import { deriveSizing } from "../../components/core/sizing";

/** What the manager could speak to the bucket with, and each as a program that is ready to send. Nothing is sent: the address does not answer. */
const clients: Record<string, { packages: string[]; program: string }> = {
  nothing: { packages: [], program: "" },
  "aws4 and node:https": {
    packages: ["aws4"],
    program: `import * as aws4 from "aws4"; import * as https from "node:https"; keep(aws4.sign, new https.Agent());`,
  },
  "@aws-sdk/client-s3": {
    packages: ["@aws-sdk/client-s3"],
    program: `
      import { S3Client, PutObjectCommand, GetObjectCommand, DeleteObjectCommand, ListObjectsV2Command, CreateMultipartUploadCommand, UploadPartCommand, CompleteMultipartUploadCommand, AbortMultipartUploadCommand } from "@aws-sdk/client-s3";
      const client = new S3Client({ region: "us-east-1", endpoint: "http://127.0.0.1:1", credentials: { accessKeyId: "a", secretAccessKey: "b" }, maxAttempts: 1 });
      keep(client, PutObjectCommand, DeleteObjectCommand, ListObjectsV2Command, CreateMultipartUploadCommand, UploadPartCommand, CompleteMultipartUploadCommand, AbortMultipartUploadCommand);
      client.send(new GetObjectCommand({ Bucket: "b", Key: "k" })).catch(() => undefined);`,
  },
  "AWS's credential providers (agent, STS)": {
    packages: ["@aws-sdk/credential-provider-http", "@aws-sdk/credential-provider-web-identity"],
    program: `
      import { fromHttp } from "@aws-sdk/credential-provider-http"; import { fromTokenFile } from "@aws-sdk/credential-provider-web-identity";
      fromHttp({ awsContainerCredentialsFullUri: "http://127.0.0.1:1/v1/credentials" })().catch(() => undefined);
      fromTokenFile({ webIdentityTokenFile: "/dev/null", roleArn: "arn:aws:iam::123456789012:role/a", clientConfig: { region: "us-east-1", maxAttempts: 1, endpoint: "http://127.0.0.1:1" } })().catch(() => undefined);`,
  },
  minio: {
    packages: ["minio"],
    program: `
      import { Client } from "minio";
      new Client({ endPoint: "127.0.0.1", port: 1, useSSL: false, accessKey: "a", secretKey: "b", region: "us-east-1" }).getObject("b", "k").catch(() => undefined);`,
  },
  aws4fetch: {
    packages: ["aws4fetch"],
    program: `
      import { AwsClient } from "aws4fetch";
      new AwsClient({ accessKeyId: "a", secretAccessKey: "b", retries: 0 }).fetch("http://127.0.0.1:1/k").catch(() => undefined);`,
  },
};

/** Says what is resident once all is loaded and the first request has failed. */
const frame = `
  declare const gc: () => void;
  const kept: unknown[] = [];
  function keep(...what: unknown[]) { kept.push(...what); }
  setTimeout(() => { gc(); console.log(process.memoryUsage().rss); }, 3000);
`;

/** The options that the manager's Node has in a pod. */
const [, ...command] = databaseContainer({
  image: "",
  imagePullPolicy: "",
  sizing: deriveSizing({ onInstanceStore: false, memoryBytes: 1 << 30 }),
  storage: { onInstanceStore: false },
  environment: [],
  volumes: [],
}).command;
const nodeOptions = command.filter(part => part.startsWith("--"));

/** Size of a bundle as the manager's is made, and memory of a process that runs it: the middle of three. */
const folder = mkdtempSync(join(tmpdir(), "store-clients-"));
try {
  writeFileSync(join(folder, "package.json"), "{}");
  const packages = Object.values(clients).flatMap(client => client.packages);
  execFileSync("npm", ["install", "--no-audit", "--no-fund", "--silent", ...packages], { cwd: folder });
  console.log("| client | bundle, kB | resident, MB |\n| --- | --- | --- |");
  for (const [name, { program }] of Object.entries(clients)) {
    const source = join(folder, "program.ts");
    const bundle = join(folder, "program.js");
    writeFileSync(source, `${frame}\n${program}`);
    const bundled = ["--bundle", "--platform=node", "--target=node22", "--minify", "--legal-comments=none"];
    execFileSync("npx", ["esbuild", source, ...bundled, "--log-level=error", `--outfile=${bundle}`]);
    console.log(`| ${name} | ${Math.round(statSync(bundle).size / 1000)} | ${resident(bundle)} |`);
  }
} finally {
  rmSync(folder, { recursive: true });
}

function resident(bundle: string): string {
  try {
    const runs = [1, 2, 3].map(() =>
      Number(execFileSync(process.execPath, [...nodeOptions, bundle], { stdio: ["ignore", "pipe", "pipe"] })),
    );
    return (runs.sort((a, b) => a - b)[1]! / 1e6).toFixed(1);
  } catch (error) {
    return /^\w+Error: .*/m.exec(String((error as { stderr?: Buffer }).stderr))?.[0] ?? "failed";
  }
}
