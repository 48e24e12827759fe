/** Tests of the tools against a kernel that is the walk's first node. */
@NullMarked
package dev.paramecium.inspect;

import org.jspecify.annotations.NullMarked;
