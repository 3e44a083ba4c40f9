import * as aws from "@pulumi/aws";
import { defaultLogRetentionDays } from "../core/logRetention";
import { policyDocument, serviceTrust } from "../core/policyDocument";
import { transformed } from "../transform";
import { Surroundings } from "./surroundings";

/** One record per connection and ten minutes; the alternative is one minute, with up to ten times the records to pay for. Seconds. */
const aggregationIntervalSeconds = 600;

/** Records who talked to whom in a VPC, accepted or rejected. */
export function makeFlowLog(
  { parent, name, region, tags, transform }: Surroundings,
  vpc: aws.ec2.Vpc,
  retentionInDays = defaultLogRetentionDays,
): void {
  const flowName = `${name}-flow`;
  const logGroup = new aws.cloudwatch.LogGroup(
    ...transformed(transform.flowLogGroup, flowName, { region, retentionInDays, tags }, { parent }),
  );
  const role = new aws.iam.Role(
    flowName,
    { assumeRolePolicy: serviceTrust("vpc-flow-logs.amazonaws.com"), tags },
    { parent },
  );
  const rolePolicy = new aws.iam.RolePolicy(
    flowName,
    { role: role.name, policy: logGroup.arn.apply(flowLogPolicy) },
    { parent },
  );
  new aws.ec2.FlowLog(
    ...transformed(
      transform.flowLog,
      flowName,
      {
        region,
        vpcId: vpc.id,
        trafficType: "ALL",
        logDestinationType: "cloud-watch-logs",
        logDestination: logGroup.arn,
        iamRoleArn: role.arn,
        maxAggregationInterval: aggregationIntervalSeconds,
        tags: { ...tags, Name: flowName },
      },
      { parent, dependsOn: [rolePolicy] },
    ),
  );
}

/** Writing to one group. Describing groups cannot be confined to one. */
function flowLogPolicy(logGroupArn: string): string {
  return policyDocument([
    {
      Sid: "Write",
      Effect: "Allow",
      Action: ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
      Resource: [logGroupArn, `${logGroupArn}:*`],
    },
    { Sid: "Find", Effect: "Allow", Action: "logs:DescribeLogGroups", Resource: "*" },
  ]);
}
