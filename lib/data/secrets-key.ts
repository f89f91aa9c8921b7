/** The key that encrypts secrets and users where a stage wants one of its own: its use is logged, and can be cut off. */
import { Stack } from 'aws-cdk-lib';
import { AnyPrincipal, type IGrantable, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import type { StageSettings } from '../settings.ts';
import { dataRemovalPolicy } from './removal-policy.ts';

/** A customer-managed key of KMS for Secrets Manager and DynamoDB. */
export class SecretsKey extends Construct {
  readonly key: Key;

  constructor(scope: Construct, id: string, settings: Pick<StageSettings, 'protectData'>) {
    super(scope, id);
    this.key = new Key(this, 'Key', {
      description: 'Encrypts the signing keys, the AppSecrets and the users table',
      enableKeyRotation: true,
      removalPolicy: dataRemovalPolicy(settings),
    });
    this.key.addToResourcePolicy(throughDynamodb(Stack.of(this).account));
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

/**
 * As in the policy of the key that AWS manages for DynamoDB: whoever may use the table may use the key, through DynamoDB
 * alone. https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html
 */
function throughDynamodb(account: string): PolicyStatement {
  return new PolicyStatement({
    principals: [new AnyPrincipal()],
    actions: [
      'kms:Encrypt',
      'kms:Decrypt',
      'kms:ReEncrypt*',
      'kms:GenerateDataKey*',
      'kms:CreateGrant',
      'kms:DescribeKey',
    ],
    resources: ['*'],
    conditions: {
      StringEquals: { 'kms:CallerAccount': account },
      StringLike: { 'kms:ViaService': 'dynamodb.*.amazonaws.com*' },
    },
  });
}
