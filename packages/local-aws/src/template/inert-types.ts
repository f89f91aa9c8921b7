/**
 * Resource types that do nothing on one machine: they watch, protect or release a stack. They have names, because other
 * resources refer to them.
 */

/** The attributes of each type that `Fn::GetAtt` may name, with a space between. */
export const inertTypes: Readonly<Record<string, string>> = {
  'AWS::ApiGateway::Account': '',
  'AWS::ApiGateway::BasePathMapping': '',
  'AWS::ApiGateway::Deployment': 'DeploymentId',
  'AWS::ApiGateway::DomainName': 'RegionalDomainName RegionalHostedZoneId',
  'AWS::ApiGatewayV2::Deployment': 'DeploymentId',
  'AWS::Budgets::Budget': '',
  'AWS::CDK::Metadata': '',
  'AWS::CloudWatch::Alarm': 'Arn',
  'AWS::CloudWatch::Dashboard': '',
  'AWS::CodeDeploy::Application': '',
  'AWS::CodeDeploy::DeploymentGroup': '',
  'AWS::EC2::EIP': 'AllocationId PublicIp',
  'AWS::EC2::InternetGateway': 'InternetGatewayId',
  'AWS::EC2::NatGateway': 'NatGatewayId',
  'AWS::EC2::Route': '',
  'AWS::EC2::RouteTable': 'RouteTableId',
  'AWS::EC2::SecurityGroup': 'GroupId',
  'AWS::EC2::Subnet': 'AvailabilityZone SubnetId',
  'AWS::EC2::SubnetRouteTableAssociation': '',
  'AWS::EC2::VPC': 'CidrBlock DefaultSecurityGroup VpcId',
  'AWS::EC2::VPCEndpoint': '',
  'AWS::EC2::VPCGatewayAttachment': '',
  'AWS::Events::Rule': 'Arn',
  'AWS::Logs::LogGroup': 'Arn',
  'AWS::Logs::MetricFilter': '',
  'AWS::SNS::Subscription': '',
  'AWS::SNS::Topic': 'TopicArn TopicName',
  'AWS::SNS::TopicPolicy': '',
  'AWS::WAFv2::WebACL': 'Arn',
  'AWS::WAFv2::WebACLAssociation': '',
};
