/** Which test files come first: those that wait most, so that the others run while they wait. */
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * Files that wait longest, for the times that a running function keeps its keys and its AppSecrets; then projects whose
 * files wait for processes and pages. The template's take CPU for longer than those of `unit`, which fill up the end.
 */
const waiting = [
  /own-service\/(rotation|rehearse)/,
  /own-service\/doctor/,
  /test\/browser/,
  /own-service/,
  /^template /,
];

const rankOf = ({ project, moduleId }: TestSpecification): number => {
  const rank = waiting.findIndex((pattern) => pattern.test(`${project.name} ${moduleId}`));
  return rank < 0 ? waiting.length : rank;
};

export class LongWaitsFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return sorted.toSorted((a, b) => rankOf(a) - rankOf(b));
  }
}
