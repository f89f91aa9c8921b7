/** Where a team keeps the templates of its stages. New versions of this project never have a file there. */
export const recordedTemplate = (stage: string): URL =>
  new URL(`../../recorded-templates/${stage}.template.json`, import.meta.url);
