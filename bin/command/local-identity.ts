/** Credentials that a local run accepts; it has a region because DynamoDB Local keeps one set of tables for each. */
export const localIdentity = {
  region: 'us-east-1',
  credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
};
