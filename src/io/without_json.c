/* In place of the readers and writers of documents where jacchain is built without jansson (-DJACCHAIN_BARE=ON). */
#include "core/error.h"
#include "jacchain.h"

jc_status jc_graph_load(const char *path, const jc_graph_options *options, jc_graph **graph)
{
    (void)options, (void)graph;
    return jc_fail(JC_E_UNAVAILABLE, "%s: this jacchain was built without jansson and reads no documents", path);
}

jc_status jc_graph_load_text(const char *text, size_t bytes, const char *name, const char *folder,
                             const jc_graph_options *options, jc_graph **graph)
{
    (void)text, (void)bytes, (void)folder, (void)options, (void)graph;
    return jc_fail(JC_E_UNAVAILABLE, "%s: this jacchain was built without jansson and reads no documents",
                   name ? name : "document");
}
