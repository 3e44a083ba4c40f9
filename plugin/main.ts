import { provider } from "@pulumi/pulumi";
import { ComponentProvider } from "./provider";

/**
 * What Pulumi starts for programs in other languages: it loads this package's folder, and so the `main` of package.json. Programs in JavaScript and TypeScript import the package by its name
 * and get `exports` instead.
 */
void provider.main(new ComponentProvider(), process.argv.slice(2));
