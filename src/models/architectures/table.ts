/** Every architecture that can be built, by name. */
import { alexnet } from "./alexnet.ts";
import type { Architecture } from "./architecture.ts";
import { cifarResnet } from "./cifar-resnet.ts";
import { convnext } from "./convnext.ts";
import { densenet } from "./densenet.ts";
import { efficientnet } from "./efficientnet.ts";
import { kerasMobilenetV2 } from "./keras-mobilenet-v2.ts";
import { kerasResnet50 } from "./keras-resnet.ts";
import { mobilenetV2 } from "./mobilenet-v2.ts";
import { mobilenetV3 } from "./mobilenet-v3.ts";
import { mobilenetV4 } from "./mobilenet-v4.ts";
import { regnet } from "./regnet.ts";
import { resnet } from "./resnet.ts";
import { squeezenet } from "./squeezenet.ts";
import { swin } from "./swin.ts";
import { vgg } from "./vgg.ts";
import { vit } from "./vit.ts";

/** Names are the source's: torchvision's, timm's, or with a suffix for those that only Keras has in this form. */
export const ARCHITECTURES = {
  alexnet: alexnet(),
  vgg11: vgg("vgg11"),
  vgg13: vgg("vgg13"),
  vgg16: vgg("vgg16"),
  vgg19: vgg("vgg19"),
  vgg11_bn: vgg("vgg11_bn"),
  vgg13_bn: vgg("vgg13_bn"),
  vgg16_bn: vgg("vgg16_bn"),
  vgg19_bn: vgg("vgg19_bn"),
  squeezenet1_0: squeezenet("squeezenet1_0"),
  squeezenet1_1: squeezenet("squeezenet1_1"),
  resnet18: resnet("resnet18"),
  resnet34: resnet("resnet34"),
  resnet50: resnet("resnet50"),
  resnet101: resnet("resnet101"),
  resnet152: resnet("resnet152"),
  resnext50_32x4d: resnet("resnext50_32x4d"),
  wide_resnet50_2: resnet("wide_resnet50_2"),
  resnet50_keras: kerasResnet50(),
  resnet20_cifar10: cifarResnet("resnet20_cifar10"),
  resnet32_cifar10: cifarResnet("resnet32_cifar10"),
  resnet44_cifar10: cifarResnet("resnet44_cifar10"),
  resnet56_cifar10: cifarResnet("resnet56_cifar10"),
  resnet110_cifar10: cifarResnet("resnet110_cifar10"),
  densenet121: densenet("densenet121"),
  mobilenet_v2: mobilenetV2(),
  mobilenet_v2_035_keras: kerasMobilenetV2("mobilenet_v2_035_keras"),
  mobilenet_v2_050_keras: kerasMobilenetV2("mobilenet_v2_050_keras"),
  mobilenet_v2_075_keras: kerasMobilenetV2("mobilenet_v2_075_keras"),
  mobilenet_v2_keras: kerasMobilenetV2("mobilenet_v2_keras"),
  mobilenet_v2_130_keras: kerasMobilenetV2("mobilenet_v2_130_keras"),
  mobilenet_v2_140_keras: kerasMobilenetV2("mobilenet_v2_140_keras"),
  mobilenet_v3_small: mobilenetV3("mobilenet_v3_small"),
  mobilenet_v3_large: mobilenetV3("mobilenet_v3_large"),
  mobilenetv3_small_100: mobilenetV3("mobilenetv3_small_100"),
  mobilenetv3_large_100: mobilenetV3("mobilenetv3_large_100"),
  mobilenetv4_conv_small: mobilenetV4("mobilenetv4_conv_small"),
  efficientnet_b0: efficientnet("efficientnet_b0"),
  efficientnet_b1: efficientnet("efficientnet_b1"),
  efficientnet_b2: efficientnet("efficientnet_b2"),
  efficientnet_b3: efficientnet("efficientnet_b3"),
  efficientnet_b4: efficientnet("efficientnet_b4"),
  efficientnet_v2_s: efficientnet("efficientnet_v2_s"),
  convnext_tiny: convnext("convnext_tiny"),
  convnext_small: convnext("convnext_small"),
  convnext_base: convnext("convnext_base"),
  regnet_y_400mf: regnet("regnet_y_400mf"),
  regnet_y_800mf: regnet("regnet_y_800mf"),
  vit_b_16: vit("vit_b_16"),
  vit_tiny_patch16_224: vit("vit_tiny_patch16_224"),
  vit_small_patch16_224: vit("vit_small_patch16_224"),
  vit_base_patch16_224: vit("vit_base_patch16_224"),
  vit_small_patch14_dinov2: vit("vit_small_patch14_dinov2"),
  vit_base_patch14_dinov2: vit("vit_base_patch14_dinov2"),
  swin_t: swin("swin_t"),
} as const satisfies Record<string, Architecture>;

/** Name of an architecture. */
export type ArchitectureName = keyof typeof ARCHITECTURES;
