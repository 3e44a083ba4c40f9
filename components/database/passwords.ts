import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { generatedPassword, passwordProblem } from "../core/passwords";
import { refuseInvalid } from "../refuse";
import { transformed } from "../transform";
import { DatabaseContext } from "./context";

/** Each user's password by name: the one that was given, judged once it is known, or one that is made and kept in the state. Those in Secrets of others are not among them. */
export function userPasswords(context: DatabaseContext): Record<string, pulumi.Output<string>> {
  return Object.fromEntries(
    context.settings.users.flatMap(({ name: userName, password, passwordSecret }, index) =>
      passwordSecret !== undefined
        ? []
        : [
            [
              userName,
              password === undefined
                ? madePassword(context, userName)
                : checkedPassword(context.name, userName, index, password),
            ],
          ],
    ),
  );
}

function madePassword({ name, transform, outside }: DatabaseContext, userName: string): pulumi.Output<string> {
  const args: random.RandomPasswordArgs = { ...generatedPassword };
  const made = new random.RandomPassword(
    ...transformed(transform.password, `${name}-password-${userName}`, args, outside),
  );
  return pulumi.secret(made.result);
}

function checkedPassword(
  name: string,
  userName: string,
  index: number,
  password: pulumi.Input<string>,
): pulumi.Output<string> {
  return pulumi.secret(password).apply(known => {
    const reason = passwordProblem(userName, known);
    refuseInvalid(
      `Database "${name}"`,
      reason === undefined ? [] : [{ propertyPath: `users[${index}].password`, reason }],
    );
    return known;
  });
}
