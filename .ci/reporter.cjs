// Mocha's readable report on the screen and its JSON report in a file, from one run. The file's path is TIDESQL_TEST_REPORT.
const Mocha = require("mocha");

module.exports = class ScreenAndFile {
  constructor(runner, options) {
    const { Spec, JSON: Json } = Mocha.reporters;
    this.screen = new Spec(runner, options);
    this.file = new Json(runner, { ...options, reporterOption: { output: process.env.TIDESQL_TEST_REPORT } });
  }

  done(failures, finish) {
    finish(failures);
  }
};
