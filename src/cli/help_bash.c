/* The completion of command lines for bash: a function for each command, which says what may follow, made from the
 * table of its options, and one that reads the line. */
#include <string.h>

#include "cli/help.h"

/* "a|b|c" as words of the shell: "a b c". The words are letters, digits, '-' and '_'. */
static void put_choices(const char *choices)
{
    for (const char *p = choices; *p; p++) putchar(*p == '|' ? ' ' : *p);
}

/* What the value of an option is, by what --help calls it. */
static const char *kind_of(const jc_option *o)
{
    if (strncmp(o->value, "FILE", 4) == 0 || strcmp(o->value, "STEM") == 0) return "files";
    if (strstr(o->value, "[,..]") && !strstr(o->name, "label")) return "variables";
    return "nothing";
}

static void put_case(const jc_option *o)
{
    if (o->type == JC_OPTION_LATER || o->type == JC_OPTION_FLAG) return;
    printf("  --%s) ", o->name);
    if (o->type == JC_OPTION_CHOICE) {
        fputs("kind=words words='", stdout);
        put_choices(o->choices);
        puts("' ;;");
    } else {
        printf("kind=%s ;;\n", kind_of(o));
    }
}

void jc_bash_begin(void)
{
    puts("# bash completion of jacchain\n# made by `jacchain help --bash`\n_jacchain_commands=help");
}

void jc_bash_command(const jc_usage *usage)
{
    printf("_jacchain_commands+=' %s'\n_jacchain_%s() {\n  options='--help", usage->command, usage->command);
    for (int t = 0; t < JC_MAX_TABLES && usage->tables[t]; t++) {
        for (const jc_option *o = usage->tables[t]; o->name; o++) {
            if (o->type != JC_OPTION_LATER) printf(" --%s", o->name);
        }
    }
    fputs("'\n", stdout);
    if (usage->words) {
        fputs("  kind=words words='", stdout);
        put_choices(usage->words);
        puts("'");
    } else {
        printf("  kind=%s\n", usage->max_words ? "graphs" : "nothing");
    }
    puts("  case $1 in");
    for (int t = 0; t < JC_MAX_TABLES && usage->tables[t]; t++) {
        for (const jc_option *o = usage->tables[t]; o->name; o++) put_case(o);
    }
    puts("  *) return 1 ;;\n  esac\n}");
}

/* The function that bash calls. The line comes cut at '=' too; what it answers replaces the part after that. */
static const char reader[] =
    "_jacchain_help() {\n"
    "  options='--man --bash --variables'\n"
    "  kind=words words=$_jacchain_commands\n"
    "  [ \"$1\" = --variables ] && kind=graphs\n"
    "}\n"
    "\n"
    "# The variables of the first graph on the line, where it is small enough to be read at once.\n"
    "_jacchain_variables() {\n"
    "  local word size\n"
    "  for word in \"${COMP_WORDS[@]:2}\"; do\n"
    "    case $word in *.json | *.safetensors) ;; *) continue ;; esac\n"
    "    [ -f \"$word\" ] || continue\n"
    "    size=$(stat -Lc %s -- \"$word\" 2>/dev/null) && [ \"$size\" -le 4000000 ] || return\n"
    "    \"$1\" help --variables \"$word\" 2>/dev/null\n"
    "    return\n"
    "  done\n"
    "}\n"
    "\n"
    "# Answers with the names that begin with `cur` after its last comma, as bash reads them.\n"
    "_jacchain_complete_variables() {\n"
    "  local name last=${cur##*,} before=''\n"
    "  case $cur in *,*) before=${cur%,*}, ;; esac\n"
    "  while IFS= read -r name; do\n"
    "    case $name in \"$last\"*) COMPREPLY+=(\"$before$(printf %q \"$name\")\") ;; esac\n"
    "  done < <(_jacchain_variables \"$1\")\n"
    "  compopt -o nospace 2>/dev/null # a comma may follow\n"
    "}\n"
    "\n"
    "# Files that match one of the patterns, and folders.\n"
    "_jacchain_complete_files() {\n"
    "  local name pattern\n"
    "  compopt -o filenames 2>/dev/null\n"
    "  for pattern in \"$@\"; do\n"
    "    while IFS= read -r name; do [ -d \"$name\" ] || COMPREPLY+=(\"$name\"); done < <(compgen -f -X \"!$pattern\" "
    "-- "
    "\"$cur\")\n"
    "  done\n"
    "  while IFS= read -r name; do COMPREPLY+=(\"$name\"); done < <(compgen -d -- \"$cur\")\n"
    "}\n"
    "\n"
    "_jacchain() {\n"
    "  local cur=${COMP_WORDS[COMP_CWORD]} option='' command=${COMP_WORDS[1]} options='' kind='' words='' word "
    "left=''\n"
    "  COMPREPLY=()\n"
    "  if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
    "    mapfile -t COMPREPLY < <(compgen -W \"$_jacchain_commands --help --version\" -- \"$cur\")\n"
    "    return\n"
    "  fi\n"
    "  option=${COMP_WORDS[COMP_CWORD - 1]}\n"
    "  if [ \"$cur\" = '=' ]; then\n"
    "    cur=''\n"
    "  elif [ \"$option\" = '=' ] && [ \"$COMP_CWORD\" -gt 2 ]; then\n"
    "    option=${COMP_WORDS[COMP_CWORD - 2]}\n"
    "  fi\n"
    "  case \" $_jacchain_commands \" in *\" $command \"*) ;; *) return ;; esac\n"
    "  if ! \"_jacchain_$command\" \"$option\" && [[ $cur == -* ]]; then\n"
    "    for word in $options; do # each may be given once\n"
    "      case \" ${COMP_WORDS[*]:2} \" in *\" $word \"*) [ \"$word\" = \"$cur\" ] || continue ;; esac\n"
    "      left+=\" $word\"\n"
    "    done\n"
    "    mapfile -t COMPREPLY < <(compgen -W \"$left\" -- \"$cur\")\n"
    "    return\n"
    "  fi\n"
    "  case $kind in\n"
    "  words) mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\") ;;\n"
    "  variables) _jacchain_complete_variables \"$1\" ;;\n"
    "  graphs) _jacchain_complete_files '*.json' '*.safetensors' ;;\n"
    "  files) _jacchain_complete_files '*' ;;\n"
    "  esac\n"
    "}\n"
    "complete -F _jacchain jacchain";

void jc_bash_end(void)
{
    puts(reader);
}
