/** The columns of each result of a batch, as its text says: of SELECT lists that are answers, and of OUTPUT clauses. */
export function selectedColumns(sql: string): string[][] {
  const bare = sql.replaceAll(/--.*$|\/\*[\s\S]*?\*\//gm, ' ').replaceAll(/N?'[^']*'/g, "''");
  return statementsOf(flat(bare)).flatMap((statement) => {
    const list = /\bOUTPUT\b(.*?)(?=\b(?:INTO|WHERE|FROM|SELECT|VALUES)\b|$)/s.exec(statement);
    if (list?.[1] !== undefined) return [columnsOf(list[1])];
    if (/\b(?:INSERT|UPDATE|DELETE|DECLARE)\b(?!.*;)/s.test(statement) && !/^\s*DECLARE/.test(statement))
      return [];
    const select = /\bSELECT\b(?:\s+TOP\s+\S+)?(?:\s+DISTINCT)?(.*?)(?=\bFROM\b|$)/s.exec(statement);
    return select?.[1] === undefined || /@\w+\s*=/.test(select[1]) ? [] : [columnsOf(select[1])];
  });
}

/** What stands in parentheses is one value: nested selects and lists of arguments become `~`. */
function flat(sql: string): string {
  let text = sql;
  for (let before = ''; before !== text;) {
    before = text;
    text = text.replaceAll(/\([^()]*\)/g, '~');
  }
  return text;
}

const statementsOf = (sql: string): string[] => sql.split(';').filter((statement) => /\S/.test(statement));

const columnsOf = (list: string): string[] =>
  list
    .split(',')
    .map((item) => /(\w+)\s*$/.exec(item)?.[1] ?? '')
    .filter((name) => name !== '');
