/** The AppSecrets of the mini-programs: a secret that an operator fills in, and only the functions that call WeChat may read. */
import { SecretValue, Validations } from 'aws-cdk-lib';
import { Grant, type IGrantable } from 'aws-cdk-lib/aws-iam';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import { currentValueOnly } from './current-value-only.ts';
import { dataRemovalPolicy } from './removal-policy.ts';
import type { SecretsKey } from './secrets-key.ts';

export interface WechatSecretsProps {
  /** The secret stays when the stack goes. */
  readonly protectData: boolean;
  /** What the secret is encrypted with. @default - the key that AWS manages for Secrets Manager */
  readonly encryption?: SecretsKey | undefined;
}

/** One JSON object: by appid an AppSecret, or `{secret, push_token, encoding_aes_key}`. */
export class WechatSecrets extends Secret {
  private readonly encryption: SecretsKey | undefined;

  constructor(scope: Construct, id: string, props: WechatSecretsProps) {
    super(scope, id, {
      description: 'JSON object: AppSecret by appid; filled in by an operator after the first deployment',
      // Always this text: were it to change, a deployment would overwrite what the operator has filled in.
      secretStringValue: SecretValue.unsafePlainText('{}'),
      removalPolicy: dataRemovalPolicy(props),
      ...(props.encryption && { encryptionKey: props.encryption.key }),
    });
    this.encryption = props.encryption;
    Validations.of(this).acknowledge({
      id: 'AwsSolutions-SMG4',
      reason: 'Only the mini-program console hands out an AppSecret: no function can ask WeChat for another.',
    });
  }

  /** Allows reading the value that counts now and, unlike CDK's own grant, nothing about it. */
  override grantRead(grantee: IGrantable): Grant {
    this.encryption?.grantRead(grantee);
    return Grant.addToPrincipal({
      grantee,
      actions: ['secretsmanager:GetSecretValue'],
      resourceArns: [this.secretArn],
      conditions: currentValueOnly,
    });
  }
}
