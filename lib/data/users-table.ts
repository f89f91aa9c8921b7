/** The users table, built from the one description of its shape. */
import {
  AttributeType,
  Billing,
  type CfnGlobalTable,
  ProjectionType,
  TableV2,
} from 'aws-cdk-lib/aws-dynamodb';
import { type IGrantable, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { closingIndex, openidIndex, PARTITION_KEY, TTL_ATTRIBUTE } from '../../functions/contracts/table.ts';
import { dataRemovalPolicy } from './removal-policy.ts';
import type { SecretsKey } from './secrets-key.ts';

export interface UsersTableProps {
  /** Point-in-time recovery, deletion protection, and the table stays when the stack goes. */
  readonly protectData: boolean;
  /** What the stage calls itself: the table's tag, because a table of this kind does not take those of its stack. */
  readonly service: string;
  /** What the table is encrypted with, at rest and in backups. @default - a key that AWS owns */
  readonly encryption?: SecretsKey | undefined;
}

/** Users, openid guards, spent codes, revocation marks and the public keys: one table, on demand. */
export class UsersTable extends Construct {
  readonly tableName: string;
  private readonly table: TableV2;

  constructor(scope: Construct, id: string, props: UsersTableProps) {
    super(scope, id);
    this.table = new TableV2(this, 'Table', {
      partitionKey: { name: PARTITION_KEY, type: AttributeType.STRING },
      globalSecondaryIndexes: [
        {
          indexName: openidIndex.name,
          partitionKey: { name: openidIndex.partitionKey, type: AttributeType.STRING },
          sortKey: { name: openidIndex.sortKey, type: AttributeType.STRING },
          projectionType: ProjectionType.INCLUDE,
          nonKeyAttributes: [...openidIndex.projected],
        },
        {
          indexName: closingIndex.name,
          partitionKey: { name: closingIndex.partitionKey, type: AttributeType.STRING },
          sortKey: { name: closingIndex.sortKey, type: AttributeType.NUMBER },
          projectionType: ProjectionType.KEYS_ONLY,
        },
      ],
      timeToLiveAttribute: TTL_ATTRIBUTE,
      billing: Billing.onDemand(),
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: props.protectData },
      deletionProtection: props.protectData,
      removalPolicy: dataRemovalPolicy(props),
      tags: [{ key: 'service', value: props.service }],
    });
    this.tableName = this.table.tableName;
    if (props.encryption) encrypt(this.table, props.encryption);
  }

  /** Allows exactly these actions on the table's items. */
  grantItems(grantee: IGrantable, ...actions: `dynamodb:${string}`[]): void {
    this.allow(grantee, actions, this.table.tableArn);
  }

  /** Allows exactly these actions on the items whose partition key is this one; `*` stands for any text. */
  grantItem(grantee: IGrantable, key: string, ...actions: `dynamodb:${string}`[]): void {
    const operator = key.includes('*') ? 'StringLike' : 'StringEquals';
    this.allow(grantee, actions, this.table.tableArn, onlyKeys(operator, key));
  }

  /** Allows exactly these actions on all items but those whose partition key is one of these; `*` stands for any text. */
  grantItemsExcept(grantee: IGrantable, keys: readonly string[], ...actions: `dynamodb:${string}`[]): void {
    this.allow(grantee, actions, this.table.tableArn, onlyKeys('StringNotLike', ...keys));
  }

  /** Allows queries on an index. */
  grantQuery(grantee: IGrantable, index: typeof openidIndex | typeof closingIndex): void {
    this.allow(grantee, ['dynamodb:Query'], `${this.table.tableArn}/index/${index.name}`);
  }

  private allow(
    grantee: IGrantable,
    actions: string[],
    resource: string,
    conditions?: Record<string, Record<string, string[]>>,
  ): void {
    grantee.grantPrincipal.addToPrincipalPolicy(
      new PolicyStatement({ actions, resources: [resource], ...(conditions && { conditions }) }),
    );
  }
}

/** In the words of CloudFormation: CDK's own need to know the region, which a stack learns when it is deployed. */
function encrypt(table: TableV2, { key }: SecretsKey): void {
  const resource = table.node.defaultChild as CfnGlobalTable;
  resource.addPropertyOverride('SSESpecification', { SSEEnabled: true, SSEType: 'KMS' });
  resource.addPropertyOverride('Replicas.0.SSESpecification.KMSMasterKeyId', key.keyArn);
}

/** https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html */
function onlyKeys(operator: string, ...keys: string[]): Record<string, Record<string, string[]>> {
  return { [`ForAllValues:${operator}`]: { 'dynamodb:LeadingKeys': keys } };
}
