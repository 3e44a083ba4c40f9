import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "mocha";
import { credentialSource, withoutIdentity } from "../../../components/manager/credentials/choose";
import { podIdentity } from "../../../components/manager/credentials/podIdentity";
import { webIdentity } from "../../../components/manager/credentials/webIdentity";
import { makeCertificate } from "../../engine/testCertificate";
import { ScriptedHttpServer } from "../base/scriptedHttpServer";
import { configuration } from "../views";
import { FakeAgent } from "./fakeAgent";

const timeout = 2000;

describe("a role's credentials", () => {
  let folder: string;
  let tokenFile: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "credentials-"));
    tokenFile = join(folder, "token");
    writeFileSync(tokenFile, "pod-token-1\n");
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  describe("from the Pod Identity agent", () => {
    let agent: FakeAgent;
    beforeEach(async () => void (agent = await FakeAgent.start("pod-token-1")));
    afterEach(() => agent.server.stop());

    it("are those that it hands out, with their end", async () => {
      const { accessKeyId, ...rest } = await podIdentity(agent.url, tokenFile).fetch(timeout);
      assert.deepEqual(rest, agent.keys.get(accessKeyId));
    });

    it("are asked for with the token that is in the file now: the kubelet replaces it", async () => {
      const source = podIdentity(agent.url, tokenFile);
      await source.fetch(timeout);
      writeFileSync(tokenFile, "pod-token-2");
      await assert.rejects(source.fetch(timeout), /has answered 401: \[1\]: \(AccessDeniedException\): wrong token/);
      assert.equal(agent.server.last.headers.authorization, "pod-token-2");
    });

    it("are none when it refuses, is silent, answers half, or has no token", async () => {
      const source = podIdentity(agent.url, tokenFile);
      agent.failure = { status: 404, body: "[1]: (ResourceNotFoundException): no association\nmore" };
      await assert.rejects(
        source.fetch(timeout),
        /answered 404: \[1\]: \(ResourceNotFoundException\): no association$/,
      );
      agent.failure = { status: 200, body: '{"AccessKeyId":"ASIA1","SecretAccessKey":"secret-of-tests"' };
      await assert.rejects(source.fetch(timeout), error => !String(error).includes("secret-of-tests"));
      agent.failure = {
        status: 200,
        body: '{"AccessKeyId":"ASIA1","SecretAccessKey":"s","Expiration":"2026-01-01T00:00:00Z"}',
      };
      await assert.rejects(source.fetch(timeout), /without sessionToken/);
      agent.failure = {
        status: 200,
        body: '{"AccessKeyId":"a","SecretAccessKey":"s","Token":"t","Expiration":"soon"}',
      };
      await assert.rejects(source.fetch(timeout), /no time/);
      agent.server.answer = () => undefined;
      await assert.rejects(source.fetch(50), /no answer in 50 ms/);
      rmSync(tokenFile);
      await assert.rejects(source.fetch(timeout), /ENOENT/);
      writeFileSync(tokenFile, "");
    });
  });

  describe("from STS", () => {
    const certificate = makeCertificate("localhost");
    const roleArn = "arn:aws:iam::123456789012:role/orders";
    let sts: ScriptedHttpServer;
    const source = (session = "orders-0") =>
      webIdentity({
        roleArn,
        tokenFile,
        region: "eu-west-1",
        session,
        url: `https://localhost:${sts.port}/`,
        ca: certificate.certificate,
      });
    beforeEach(async () => void (sts = await ScriptedHttpServer.start(certificate)));
    afterEach(() => sts.stop());

    it("are what it gives for the service account's token, without a signature", async () => {
      sts.answer = () => ({
        status: 200,
        body: `<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials>
          <AccessKeyId>ASIA1</AccessKeyId><SecretAccessKey>a/b+c</SecretAccessKey><SessionToken>
          t//+=</SessionToken><Expiration>2026-11-30T02:00:00Z</Expiration>
        </Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`,
      });
      assert.deepEqual(await source("orders/0").fetch(timeout), {
        accessKeyId: "ASIA1",
        secretAccessKey: "a/b+c",
        sessionToken: "t//+=",
        expiresAt: Date.parse("2026-11-30T02:00:00Z"),
      });
      const { method, path, headers, body } = sts.last;
      assert.deepEqual([method, path, headers.authorization], ["POST", "/", undefined]);
      assert.deepEqual(Object.fromEntries(new URLSearchParams(body)), {
        Action: "AssumeRoleWithWebIdentity",
        Version: "2011-06-15",
        RoleArn: roleArn,
        RoleSessionName: "orders-0",
        WebIdentityToken: "pod-token-1",
      });
    });

    it("are none when it refuses; its reason is told, the token is not", async () => {
      sts.answer = () => ({
        status: 403,
        body: "<ErrorResponse><Error><Code>AccessDenied</Code><Message>Not authorized to perform sts:AssumeRoleWithWebIdentity</Message></Error></ErrorResponse>",
      });
      await assert.rejects(source().fetch(timeout), error => {
        assert.match(String(error), /answered 403 AccessDenied: Not authorized to perform/);
        assert.ok(!String(error).includes("pod-token"));
        return true;
      });
    });

    it("are asked for at the region's own STS", () => {
      const named = (region: string) => webIdentity({ roleArn, tokenFile, region, session: "orders-0" }).name;
      assert.equal(named("eu-west-1"), "STS at https://sts.eu-west-1.amazonaws.com/");
      assert.equal(named("cn-north-1"), "STS at https://sts.cn-north-1.amazonaws.com.cn/");
    });
  });

  describe("by what the pod was told", () => {
    const choose = (credentials: "key" | "podIdentity" | "irsa" | undefined, environment: NodeJS.ProcessEnv) =>
      credentialSource({ ...configuration, credentials }, "orders-0", environment)?.name;
    const agent = {
      AWS_CONTAINER_CREDENTIALS_FULL_URI: "http://169.254.170.23/v1/credentials",
      AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: "/token",
    };
    const web = { AWS_ROLE_ARN: "arn:aws:iam::123456789012:role/orders", AWS_WEB_IDENTITY_TOKEN_FILE: "/token" };

    it("come from where the configuration says, whatever else the environment holds", () => {
      assert.equal(choose(undefined, { ...agent, ...web }), undefined);
      assert.equal(choose("key", { ...agent, ...web }), undefined);
      assert.match(
        choose("podIdentity", { ...agent, ...web })!,
        /^the Pod Identity agent at http:\/\/169\.254\.170\.23/,
      );
      assert.match(choose("irsa", { ...agent, ...web })!, /^STS at https:\/\/sts\.us-east-1\.amazonaws\.com/);
    });

    it("are missed by the variable's name", () => {
      assert.throws(() => choose("podIdentity", web), /AWS_CONTAINER_CREDENTIALS_FULL_URI is not set/);
      assert.throws(() => choose("irsa", agent), /AWS_ROLE_ARN is not set/);
    });

    it("are not for the engine: its environment has nothing of them", () => {
      const environment = { PATH: "/bin", TZ: "UTC", AWS_REGION: "x", AWS_ACCESS_KEY_ID: "x", ...agent, ...web };
      assert.deepEqual(withoutIdentity(environment), { PATH: "/bin", TZ: "UTC" });
    });
  });
});
