/** TideSQL on Kubernetes as Pulumi components: {@link TideSql} is the whole, the others are its parts. */
export * from "./components/cluster";
export * from "./components/database";
export * from "./components/image";
export * from "./components/network";
export * from "./components/objectStore";
export * from "./components/tideSql";
export { Transform } from "./components/transform";
