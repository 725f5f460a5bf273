/* The numbers of paths of six networks, as published beside them. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "jacchain.h"
#include "support/compute.h"
#include "support/expected.h"

Test(paths, counts_of_real_networks_are_the_published_ones)
{
    json_t *known = jt_json(JC_TEST_DATA "/networks/known.json"), *entry;
    const char *name, *count;
    int n = 0;
    json_object_foreach(known, name, entry)
    {
        char file[512];
        jc_graph *graph;
        jc_paths *paths;
        snprintf(file, sizeof file, "%s/networks/%s.json", JC_TEST_DATA, name);
        jt_ok(jc_graph_load(file, NULL, &graph), file);
        int64_t of = jc_graph_find_variable(graph, json_string_value(json_object_get(entry, "of")));
        int64_t wrt = jc_graph_find_variable(graph, json_string_value(json_object_get(entry, "wrt")));
        jt_ok(jt_paths_create(graph, of, wrt, NULL, 0, &paths), "paths");
        jt_ok(jc_paths_count(paths, &count), "a count");
        cr_expect_str_eq(count, json_string_value(json_object_get(entry, "paths")), "%s", name);
        jc_paths_destroy(paths);
        jc_graph_destroy(graph);
        n++;
    }
    cr_expect_eq(n, 6);
    json_decref(known);
}
