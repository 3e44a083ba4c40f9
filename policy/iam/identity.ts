import { anyType, ofAwsKind } from "../model/aws";
import { Field } from "../model/field";
import { type Relation, type Stack } from "../model/stack";
import { managedDocument } from "./managed";

/** A condition on types: policies that say what an identity may do, with the document in `policy`. */
export const isIdentityPolicy = ofAwsKind("iam:Policy", "iam:UserPolicy", "iam:RolePolicy", "iam:GroupPolicy");

/** A condition on types: identities. */
export const isIdentity = ofAwsKind("iam:User", "iam:Role", "iam:Group");

/** A condition on types: resources that give an identity a managed policy by its ARN. */
export const isAttachment = ofAwsKind(
  "iam:UserPolicyAttachment",
  "iam:RolePolicyAttachment",
  "iam:GroupPolicyAttachment",
  "iam:PolicyAttachment",
  "iam:UserPolicyAttachmentsExclusive",
  "iam:RolePolicyAttachmentsExclusive",
  "iam:GroupPolicyAttachmentsExclusive",
);

const isUser = ofAwsKind("iam:User");
const isGroup = ofAwsKind("iam:Group");
const isManagedPolicy = ofAwsKind("iam:Policy");

const belongsTo = (to: (type: string) => boolean, key: string, ...from: string[]): Relation => ({
  from: ofAwsKind(...from),
  by: field => field.at(key),
  to,
  named: identity => identity.at("name"),
});

const keysOfUser = belongsTo(isUser, "user", "iam:AccessKey");
const ofUser = [
  belongsTo(isUser, "user", "iam:UserPolicy", "iam:UserPolicyAttachment"),
  belongsTo(isUser, "userName", "iam:UserPolicyAttachmentsExclusive"),
  belongsTo(isUser, "users", "iam:PolicyAttachment"),
];
const ofGroup = [
  belongsTo(isGroup, "group", "iam:GroupPolicy", "iam:GroupPolicyAttachment"),
  belongsTo(isGroup, "groupName", "iam:GroupPolicyAttachmentsExclusive"),
];
const membershipsOfUser = belongsTo(isUser, "user", "iam:UserGroupMembership");

/** The access keys that the program makes for a user. */
export function accessKeysOf(user: Field, stack: Stack): Field[] {
  return stack.related(keysOfUser, user);
}

/** The documents of the policies that a user has in this program: its own, those attached to it, and those of its groups. */
export function policiesOf(user: Field, stack: Stack): Field[] {
  const own = ofUser.flatMap(relation => stack.related(relation, user));
  const groups = groupsOf(user, stack).flatMap(group => ofGroup.flatMap(relation => stack.related(relation, group)));
  return [...own, ...groups].flatMap(source => documentsOf(source, stack));
}

function groupsOf(user: Field, stack: Stack): Field[] {
  const names = stack.related(membershipsOfUser, user).map(membership => membership.at("groups"));
  return stack
    .where(isGroup)
    .filter(group => names.some(name => !name.firstUnknown && name.textList.includes(group.at("name").text ?? "")));
}

/** The document of an inline policy, or of the managed policies, AWS's and this program's, that an attachment attaches. */
function documentsOf(source: Field, stack: Stack): Field[] {
  if (isIdentityPolicy(source.resource.type)) return [source.at("policy")];
  const own = source.resource.dependencies.flatMap(urn => {
    const policy = stack.withUrn(urn);
    return policy && isManagedPolicy(policy.resource.type) ? [policy.at("policy")] : [];
  });
  const ofAws = attachedPolicies(source).flatMap(arn => {
    const document = arn.firstUnknown ? undefined : managedDocument(arn.text ?? "");
    return document ? [Field.of({ ...source.resource, inputs: { policy: document } }).at("policy")] : [];
  });
  return [...own, ...ofAws];
}

/** The documents that a resource carries as an identity's policy: of a policy, or inline in a role. */
export function documentsIn(resource: Field): Field[] {
  if (isIdentityPolicy(resource.resource.type)) return [resource.at("policy")];
  return resource.at("inlinePolicies").items.map(policy => policy.at("policy"));
}

/** The ARNs of managed policies that a resource gives to an identity: of an attachment, or listed in a role. */
export function attachedPolicies(resource: Field): Field[] {
  const lists = ["policyArns", "managedPolicyArns"].map(name => resource.at(name));
  const single = resource.at("policyArn");
  const listed = lists.flatMap(list => (Array.isArray(list.isUnknown ? undefined : list.value) ? list.items : []));
  return [single, ...listed];
}

/** A condition on types: whatever gives rights to an identity. */
export const givesRights = anyType(isIdentityPolicy, isIdentity, isAttachment);
