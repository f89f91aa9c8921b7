/** How functions are bundled, once: the deployed ones, and the authorizer's copy that the package carries. */

/** esbuild's options that matter for what is in a bundle. */
export const bundleOptions = {
  format: 'esm',
  target: 'node24',
  // The ES modules of a package can be tree-shaken, its CommonJS cannot.
  mainFields: ['module', 'main'],
  minify: true,
  charset: 'utf8',
  // The credential providers that a Lambda never uses: they are imported lazily, and never here.
  external: [
    '@aws-sdk/credential-provider-http',
    '@aws-sdk/credential-provider-ini',
    '@aws-sdk/credential-provider-login',
    '@aws-sdk/credential-provider-process',
    '@aws-sdk/credential-provider-sso',
    '@aws-sdk/credential-provider-web-identity',
    '@aws-sdk/token-providers',
    '@smithy/credential-provider-imds',
  ],
  // Packages that are still CommonJS call require() for Node's own modules.
  banner: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);",
};
