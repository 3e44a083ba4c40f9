/** A statement of a policy document, as JSON has it. */
interface PlainStatement {
  Effect: "Allow";
  Action?: string | readonly string[];
  NotAction?: string | readonly string[];
  Resource: "*";
}

/** What managed policies of AWS say of S3, by their names: those that give a right on the objects of every bucket. Their other statements are left out. */
const statementsOfS3: Readonly<Record<string, PlainStatement>> = {
  AdministratorAccess: { Effect: "Allow", Action: "*", Resource: "*" },
  PowerUserAccess: { Effect: "Allow", NotAction: ["iam:*", "organizations:*", "account:*"], Resource: "*" },
  AmazonS3FullAccess: { Effect: "Allow", Action: "s3:*", Resource: "*" },
  AmazonS3ReadOnlyAccess: { Effect: "Allow", Action: ["s3:Get*", "s3:List*", "s3:Describe*"], Resource: "*" },
  ReadOnlyAccess: { Effect: "Allow", Action: ["s3:Get*", "s3:List*", "s3:Describe*"], Resource: "*" },
};

/** The document of a managed policy of AWS as far as it concerns S3; undefined for one that does not, and for one of an account. */
export function managedDocument(arn: string): { Statement: readonly PlainStatement[] } | undefined {
  const [, name = ""] = /^arn:[\w-]+:iam::aws:policy\/(?:[\w-]+\/)*([\w-]+)$/.exec(arn) ?? [];
  return Object.hasOwn(statementsOfS3, name) ? { Statement: [statementsOfS3[name]!] } : undefined;
}
