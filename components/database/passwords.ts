import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { generatedPassword, passwordProblem } from "../core/passwords";
import { refuseInvalid } from "../refuse";
import { DatabaseContext } from "./context";

/** Each user's password by name: the one that was given, judged once it is known, or one that is made and kept in the state. */
export function userPasswords({ name, settings, outside }: DatabaseContext): Record<string, pulumi.Output<string>> {
  return Object.fromEntries(
    settings.users.map((user, index) => [
      user.name,
      user.password === undefined
        ? pulumi.secret(
            new random.RandomPassword(`${name}-password-${user.name}`, { ...generatedPassword }, outside).result,
          )
        : checkedPassword(name, user.name, index, user.password),
    ]),
  );
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
