// Mocha's readable report on the screen and its JSON report in a file, from one run. The file's path is TIDESQL_TEST_REPORT.
import { env } from "node:process";
import Mocha from "mocha";

export default class ScreenAndFile {
  constructor(runner, options) {
    const { Spec, JSON: Json } = Mocha.reporters;
    new Spec(runner, options);
    new Json(runner, { ...options, reporterOption: { output: env.TIDESQL_TEST_REPORT } });
  }
}
