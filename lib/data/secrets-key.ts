/** The key that encrypts the secrets where a stage wants one of its own: its use is logged, and can be cut off. */
import { type IGrantable, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import type { StageSettings } from '../settings.ts';
import { dataRemovalPolicy } from './removal-policy.ts';

/** A customer-managed key of KMS for Secrets Manager. */
export class SecretsKey extends Construct {
  readonly key: Key;

  constructor(scope: Construct, id: string, settings: Pick<StageSettings, 'protectData'>) {
    super(scope, id);
    this.key = new Key(this, 'Key', {
      description: 'Encrypts the signing keys and the AppSecrets',
      enableKeyRotation: true,
      removalPolicy: dataRemovalPolicy(settings),
    });
  }

  /** Allows what reading a secret takes. */
  grantRead(grantee: IGrantable): void {
    this.allow(grantee, 'kms:Decrypt');
  }

  /** Allows what reading a secret and storing new versions of it takes. */
  grantReadWrite(grantee: IGrantable): void {
    this.allow(grantee, 'kms:Decrypt', 'kms:GenerateDataKey');
  }

  private allow(grantee: IGrantable, ...actions: `kms:${string}`[]): void {
    grantee.grantPrincipal.addToPrincipalPolicy(
      new PolicyStatement({ actions, resources: [this.key.keyArn] }),
    );
  }
}
