import * as aws from "@pulumi/aws";
import * as docker from "@pulumi/docker";
import * as eks from "@pulumi/eks";
import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { parseAllDocuments } from "yaml";
import { failoverController, primary, replicas } from "./manifests";

/**
 * The published guide "Deploying TideSQL on AWS Kubernetes with S3 Object Store" (April 3rd, 2026) as an ordinary Pulumi program: its YAML word for word, its
 * `eksctl` and `aws` commands as the resources that they make, its `kubectl exec` commands as commands.
 */
export function guide(): void {
  prerequisites();
  buildImage();
  const cluster = createCluster();
  const provider = new kubernetes.Provider("cluster", { kubeconfig: cluster.kubeconfigJson });
  const inCluster = { provider };
  installStorage(inCluster);
  new kubernetes.core.v1.Namespace("tidesql", { metadata: { name: "tidesql" } }, inCluster);
  new aws.s3.Bucket("tidesdb-production", { bucket: "tidesdb-production" });
  apply(primary, inCluster);
  createUsers();
  apply(replicas, inCluster);
  apply(failoverController, inCluster);
}

/** "An AWS account with EKS access and an IAM user with AmazonEC2ContainerRegistryFullAccess and AmazonS3FullAccess policies" */
function prerequisites(): void {
  const user = new aws.iam.User("tidesql", { name: "tidesql" });
  for (const policy of ["AmazonEC2ContainerRegistryFullAccess", "AmazonS3FullAccess"]) {
    new aws.iam.UserPolicyAttachment(policy, { user: user.name, policyArn: `arn:aws:iam::aws:policy/${policy}` });
  }
  new aws.iam.AccessKey("tidesql", { user: user.name });
}

/** "Build the Docker image with S3 support" */
function buildImage(): void {
  new aws.ecr.Repository("tidesdb", { name: "tidesdb/tidesql" });
  new docker.Image("tidesql", {
    imageName: "123456789012.dkr.ecr.us-east-1.amazonaws.com/tidesdb/tidesql:latest",
    build: {
      context: ".",
      dockerfile: "docker/ubuntu/Dockerfile",
      args: { WITH_S3: "1", DISABLED_ENGINES: "ROCKSDB,MROONGA,SPIDER,CONNECT,OQGRAPH,COLUMNSTORE,SPHINX" },
    },
  });
}

/** "eksctl create cluster --name tidesql-cluster --region us-east-1 --node-type m5.large --nodes 3" */
function createCluster(): eks.Cluster {
  return new eks.Cluster("tidesql-cluster", { name: "tidesql-cluster", instanceType: "m5.large", desiredCapacity: 3 });
}

/** "eksctl create iamserviceaccount ...", "eksctl create addon --name aws-ebs-csi-driver ...", and the StorageClass */
function installStorage(inCluster: pulumi.CustomResourceOptions): void {
  const role = new aws.iam.Role("ebs-csi-controller-sa", {
    assumeRolePolicy: JSON.stringify({
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Principal: { Service: "pods.eks.amazonaws.com" }, Action: "sts:AssumeRole" }],
    }),
  });
  new aws.iam.RolePolicyAttachment("ebs-csi-controller-sa", {
    role: role.name,
    policyArn: "arn:aws:iam::aws:policy/service-role/AmazonEBSCSIDriverPolicy",
  });
  new aws.eks.Addon("aws-ebs-csi-driver", { clusterName: "tidesql-cluster", addonName: "aws-ebs-csi-driver" });
  new kubernetes.storage.v1.StorageClass(
    "gp3",
    {
      metadata: { name: "gp3", annotations: { "storageclass.kubernetes.io/is-default-class": "true" } },
      provisioner: "ebs.csi.aws.com",
      parameters: { type: "gp3" },
      volumeBindingMode: "WaitForFirstConsumer",
      reclaimPolicy: "Delete",
    },
    inCluster,
  );
}

/** "kubectl apply -n tidesql -f -" */
function apply(yaml: string, inCluster: pulumi.CustomResourceOptions): void {
  for (const document of parseAllDocuments(yaml)) {
    const object = document.toJS() as Manifest;
    const version = object.apiVersion.includes("/") ? object.apiVersion : `core/${object.apiVersion}`;
    const { name } = object.metadata;
    const inputs = { ...object, metadata: { ...object.metadata, namespace: "tidesql" } };
    new Untyped(`kubernetes:${version}:${object.kind}`, name, inputs, inCluster);
  }
}

/** A resource by its type token alone, as the YAML and Helm resources register theirs. */
class Untyped extends pulumi.CustomResource {}

interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string };
}

/** "Create a monitor user", "Also create your application user", "Create the monitor user on replicas too" */
function createUsers(): void {
  run(
    "monitor-user",
    `kubectl exec -n tidesql tidesql-primary-0 -- \\
  mariadb -e "
    CREATE USER 'monitor'@'%' IDENTIFIED BY 'M0nitor!Pass9';
    GRANT ALL PRIVILEGES ON *.* TO 'monitor'@'%' WITH GRANT OPTION;
    FLUSH PRIVILEGES;
  "`,
  );
  run(
    "application-user",
    `kubectl exec -n tidesql tidesql-primary-0 -- \\
  mariadb -e "
    CREATE DATABASE app_prod;
    CREATE USER 'app_user'@'%' IDENTIFIED BY 'YourStrongPassword!2026';
    GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, ALTER, INDEX ON app_prod.* TO 'app_user'@'%';
    FLUSH PRIVILEGES;
  "`,
  );
  run(
    "monitor-user-on-replicas",
    `for pod in $(kubectl get pods -n tidesql -l role=replica -o name); do
  kubectl exec -n tidesql "$pod" -- \\
    mariadb -e "
      CREATE USER IF NOT EXISTS 'monitor'@'%' IDENTIFIED BY 'M0nitor!Pass9';
      GRANT ALL PRIVILEGES ON *.* TO 'monitor'@'%' WITH GRANT OPTION;
      FLUSH PRIVILEGES;
    "
done`,
  );
}

/** A command of the shell, as the `command` package runs it. */
function run(name: string, create: string): void {
  new Untyped("command:local:Command", name, { create });
}
