import { accessChecks } from "./bucket/access";
import { publicChecks } from "./bucket/public";
import { protectionChecks } from "./bucket/protection";
import { Group, group } from "./check";

/** The bucket holds the only durable copy of the data. */
export const bucket = group(Group.bucket, [...protectionChecks, ...accessChecks, ...publicChecks]);
