/** The signing keys: a secret that only minting and rotation may read, rotated on schedule by a function. */
import { Stack } from 'aws-cdk-lib';
import { type IGrantable, PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { CfnRotationSchedule, Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { currentValueOnly } from './current-value-only.ts';
import { dataRemovalPolicy } from './removal-policy.ts';
import type { SecretsKey } from './secrets-key.ts';

export interface KeyRingProps {
  /** The secret stays when the stack goes: without it every token in the field is useless. */
  readonly protectData: boolean;
  /** What the secret is encrypted with. @default - the key that AWS manages for Secrets Manager */
  readonly encryption?: SecretsKey | undefined;
}

/** The key ring's secret. Its first value is a placeholder that the first rotation replaces with real keys. */
export class KeyRing extends Construct {
  readonly secretArn: string;
  private readonly secret: Secret;
  private readonly encryption: SecretsKey | undefined;

  constructor(scope: Construct, id: string, props: KeyRingProps) {
    super(scope, id);
    this.secret = new Secret(this, 'Secret', {
      description: 'Signing keys of the login tokens; written by rotation only',
      removalPolicy: dataRemovalPolicy(props),
      ...(props.encryption && { encryptionKey: props.encryption.key }),
    });
    this.encryption = props.encryption;
    this.secretArn = this.secret.secretArn;
  }

  /** Allows reading the private keys that sign now: for the function that mints tokens. */
  grantRead(grantee: IGrantable): void {
    grantee.grantPrincipal.addToPrincipalPolicy(
      new PolicyStatement({
        actions: ['secretsmanager:GetSecretValue'],
        resources: [this.secret.secretArn],
        conditions: currentValueOnly,
      }),
    );
    this.encryption?.grantRead(grantee);
  }

  /** Lets a function rotate the ring every so many days, and at once after the first deployment. */
  rotateWith(rotation: IFunction, everyDays: number): void {
    this.allow(
      rotation,
      'secretsmanager:DescribeSecret',
      'secretsmanager:GetSecretValue',
      'secretsmanager:PutSecretValue',
      'secretsmanager:UpdateSecretVersionStage',
    );
    this.encryption?.grantReadWrite(rotation);
    rotation.addPermission('RotatedBySecretsManager', {
      principal: new ServicePrincipal('secretsmanager.amazonaws.com'),
      sourceAccount: Stack.of(this).account,
    });
    // The L2 schedule would add GetRandomPassword on every resource, which this rotation has no use for.
    const schedule = new CfnRotationSchedule(this, 'Rotation', {
      secretId: this.secret.secretArn,
      rotationLambdaArn: rotation.functionArn,
      rotationRules: { automaticallyAfterDays: everyDays },
      rotateImmediatelyOnUpdate: true,
    });
    // The first rotation starts with this resource, so what it needs must be there before.
    schedule.node.addDependency(rotation);
  }

  private allow(grantee: IGrantable, ...actions: string[]): void {
    grantee.grantPrincipal.addToPrincipalPolicy(
      new PolicyStatement({ actions, resources: [this.secret.secretArn] }),
    );
  }
}
