import { InputProblem } from "./inputProblem";

/** How long CloudWatch Logs can keep a group's events, in days (PutRetentionPolicy in its API reference). */
const retentionDays = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
];

/** Long enough to look into an incident that was noticed late. Days. */
export const defaultLogRetentionDays = 90;

/** What is wrong with a time that logs are to be kept. */
export function validateLogRetention(propertyPath: string, days: number | undefined): InputProblem[] {
  if (days === undefined || retentionDays.includes(days)) return [];
  return [
    { propertyPath, reason: `is ${days}, but CloudWatch keeps logs for ${retentionDays.join(", ")} days: choose one` },
  ];
}
