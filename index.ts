/** TideSQL on Kubernetes as Pulumi components: {@link TideSql} is the whole, the others are its parts. */
export * from "./components/cluster";
export * from "./components/database";
export * from "./components/image";
export * from "./components/network";
export * from "./components/objectStore";
export * from "./components/tideSql";
export { InputProblem } from "./components/core/inputProblem";
export { DatabaseTransforms } from "./components/database/transforms";
export { ManagerBundle } from "./components/managerBundle";
export { Transform, TransformResult } from "./components/transform";
