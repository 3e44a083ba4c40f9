import { Expression } from "../sql/ast";
import { sqlErrors } from "../sqlError";
import { likeExpression } from "../patterns";
import { collated, compareValues, narrow, numberOf, textOf, Value } from "../values";
import { aggregates, scalarFunctions } from "./functions";

/** What an expression may look at. */
export interface Scope {
  column(name: string, table: string | undefined): Value;
  variable(name: string, scope: "global" | "session" | undefined): Value;
  userVariable(name: string): Value;
  parameter(index: number): Value;
  /** `VERSION()` and what else depends on the session; undefined for any other function. */
  session(name: string, parameters: Value[]): Value | undefined;
  /** Rows that an aggregate goes over; undefined outside of a grouped result. */
  group?: Scope[];
}

/** @throws SqlError for a column, a variable or a function that is not there */
export function evaluate(expression: Expression, scope: Scope): Value {
  switch (expression.type) {
    case "literal":
      return expression.value;
    case "column":
      return scope.column(expression.name, expression.table);
    case "variable":
      return scope.variable(expression.name, expression.scope);
    case "userVariable":
      return scope.userVariable(expression.name);
    case "parameter":
      return scope.parameter(expression.index);
    case "default":
      return null;
    case "unary":
      return unary(expression.operator, evaluate(expression.operand, scope));
    case "binary":
      return binary(expression.operator, expression.left, expression.right, scope);
    case "is": {
      const value = evaluate(expression.operand, scope);
      const holds =
        expression.what === "null" ? value === null : value !== null && isTrue(value) === (expression.what === "true");
      return truth(holds !== expression.not);
    }
    case "in":
      return isIn(expression, scope);
    case "between": {
      const value = evaluate(expression.operand, scope);
      const [low, high] = [evaluate(expression.low, scope), evaluate(expression.high, scope)];
      if (value === null || low === null || high === null) return null;
      return truth((compareValues(value, low) >= 0 && compareValues(value, high) <= 0) !== expression.not);
    }
    case "like":
      return like(expression, scope);
    case "case": {
      const subject = expression.subject && evaluate(expression.subject, scope);
      for (const { when, then } of expression.branches) {
        const condition = evaluate(when, scope);
        const holds = subject === undefined ? isTrue(condition) : isEqual(subject, condition);
        if (holds) return evaluate(then, scope);
      }
      return expression.otherwise ? evaluate(expression.otherwise, scope) : null;
    }
    case "call":
      return call(expression, scope);
  }
}

/** Neither null nor zero. */
export function isTrue(value: Value): boolean {
  return value !== null && Number(numberOf(value)) !== 0;
}

/** Whether an expression holds an aggregate, so that all rows make one. */
export function isAggregate(expression: Expression): boolean {
  switch (expression.type) {
    case "call":
      return expression.name in aggregates || expression.parameters.some(isAggregate);
    case "binary":
      return isAggregate(expression.left) || isAggregate(expression.right);
    case "unary":
    case "is":
      return isAggregate(expression.operand);
    default:
      return false;
  }
}

function call(expression: Extract<Expression, { type: "call" }>, scope: Scope): Value {
  const { name, parameters, distinct, star } = expression;
  const aggregate = aggregates[name];
  if (aggregate) {
    if (!scope.group) throw sqlErrors.notSimulated(`${name} here`);
    const first = parameters[0];
    const values = scope.group.map(row => (first && !star ? evaluate(first, row) : 1)).filter(value => value !== null);
    return aggregate(distinct ? unique(values) : values);
  }
  // IF, IFNULL and COALESCE look at what they need only, but nothing that they look at has an effect.
  const values = parameters.map(parameter => evaluate(parameter, scope));
  const own = scope.session(name, values);
  if (own !== undefined) return own;
  const known = scalarFunctions[name];
  if (!known) throw sqlErrors.unknownFunction(name);
  return known(...values);
}

function unique(values: Value[]): Value[] {
  const seen = new Map(values.map(value => [typeof value === "string" ? collated(value) : textOf(value), value]));
  return [...seen.values()];
}

function truth(holds: boolean): number {
  return holds ? 1 : 0;
}

function isEqual(a: Value, b: Value): boolean {
  return a !== null && b !== null && compareValues(a, b) === 0;
}

function unary(operator: string, value: Value): Value {
  if (value === null) return null;
  if (operator === "not") return truth(!isTrue(value));
  const number = numberOf(value);
  return operator === "-" ? -number : number;
}

function binary(operator: string, leftExpression: Expression, rightExpression: Expression, scope: Scope): Value {
  const left = evaluate(leftExpression, scope);
  if (operator === "and" && left !== null && !isTrue(left)) return 0;
  if (operator === "or" && isTrue(left)) return 1;
  const right = evaluate(rightExpression, scope);
  if (operator === "<=>") return truth(left === null || right === null ? left === right : isEqual(left, right));
  if (operator === "and")
    return left === null || right === null ? (right !== null && !isTrue(right) ? 0 : null) : truth(isTrue(right));
  if (operator === "or") return isTrue(right) ? 1 : left === null || right === null ? null : 0;
  if (left === null || right === null) return null;
  const comparison = comparisons[operator];
  if (comparison) return truth(comparison(compareValues(left, right)));
  if (operator === "xor") return truth(isTrue(left) !== isTrue(right));
  return arithmetic(operator, numberOf(left), numberOf(right));
}

const comparisons: Record<string, (order: number) => boolean> = {
  "=": order => order === 0,
  "<>": order => order !== 0,
  "<": order => order < 0,
  "<=": order => order <= 0,
  ">": order => order > 0,
  ">=": order => order >= 0,
};

function arithmetic(operator: string, left: number | bigint, right: number | bigint): Value {
  const whole = [left, right].every(value => typeof value === "bigint" || Number.isInteger(value));
  if ((operator === "/" || operator === "%" || operator === "DIV") && Number(right) === 0) return null;
  if (operator === "/") return Number(left) / Number(right);
  if (!whole) {
    const [a, b] = [Number(left), Number(right)];
    if (operator === "DIV") return Math.trunc(a / b);
    return operator === "+" ? a + b : operator === "-" ? a - b : operator === "*" ? a * b : a % b;
  }
  const [a, b] = [BigInt(left), BigInt(right)];
  if (operator === "DIV") return narrow(a / b);
  return narrow(operator === "+" ? a + b : operator === "-" ? a - b : operator === "*" ? a * b : a % b);
}

function isIn({ operand, list, not }: Extract<Expression, { type: "in" }>, scope: Scope): Value {
  const value = evaluate(operand, scope);
  if (value === null) return null;
  const values = list.map(item => evaluate(item, scope));
  if (values.some(item => isEqual(value, item))) return truth(!not);
  return values.includes(null) ? null : truth(not);
}

function like({ operand, pattern, not, regular }: Extract<Expression, { type: "like" }>, scope: Scope): Value {
  const [value, form] = [evaluate(operand, scope), evaluate(pattern, scope)];
  if (value === null || form === null) return null;
  const expression = regular ? new RegExp(textOf(form), "i") : likeExpression(textOf(form));
  return truth(expression.test(textOf(value)) !== not);
}
