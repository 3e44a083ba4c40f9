/**
 * Holds the Node binary that runs the manager. The version is that of the npm package `node`, with which the tests run; a test holds them together.
 */
export const defaultNodeImage = "docker.io/library/node:22.23.3-slim";
